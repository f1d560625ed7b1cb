"""A file of people becomes people: previewed, resumed, sorted through, taken back."""

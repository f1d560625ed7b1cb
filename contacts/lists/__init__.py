"""The list of people: which, in what order, page by page."""

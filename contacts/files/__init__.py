"""What files tell of people, read and written without a database."""

"""What is typed about people, checked."""

"""What is kept from one start to the next, in one SQLite file."""

"""What is kept: corrections of labels, in SQLite or PostgreSQL."""

"""What stays: one store over SQLite and Postgres."""

"""A small issue tracker whose state lives in two places that must agree: a SQLite database and files on disk."""

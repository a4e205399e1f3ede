"""What is kept: the database, and the spool beside it."""

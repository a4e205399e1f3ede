"""What is refreshed until it is ended (sipbridge._kept)."""

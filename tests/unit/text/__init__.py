"""Text and arguments (sipbridge._text)."""

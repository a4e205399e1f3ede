"""Capture files of others (sipbridge._capture)."""

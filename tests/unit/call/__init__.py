"""Calls (sipbridge._call)."""

"""Recorded calls, made to fit (sipbridge._replay)."""

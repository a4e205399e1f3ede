"""Calls: how they begin, what passes within them, how they end."""

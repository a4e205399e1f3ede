"""Where the engine is, and what it is told (sipbridge._engine)."""

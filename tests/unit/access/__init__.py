"""What lies behind an Endpoint (sipbridge._agent)."""

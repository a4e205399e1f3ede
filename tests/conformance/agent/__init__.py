"""What the endpoint itself does: handlers, requests outside of calls, watching a peer."""

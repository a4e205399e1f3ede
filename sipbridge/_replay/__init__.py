"""Play one side of a recorded call against a live endpoint."""

"""The command line (sipbridge._command)."""

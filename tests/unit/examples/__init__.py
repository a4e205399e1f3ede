"""The examples of README.md and docs/ that need no peer."""

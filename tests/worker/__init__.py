"""The engine in a process of its own: what happens when that process, or the service, is lost."""

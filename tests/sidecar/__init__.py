"""An engine at a UNIX socket: the command that serves it, and the service that uses it."""

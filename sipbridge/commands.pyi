from sipbridge._command.commands import local_address as local_address

__all__ = ["local_address"]

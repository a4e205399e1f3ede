"""What needs no network, or no peer but another sipbridge; folders as in sipbridge/, what is public flat."""

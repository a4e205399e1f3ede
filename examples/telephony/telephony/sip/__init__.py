"""The SIP side, on sipbridge."""

"""The panel: for people, in a browser."""

"""The examples of docs/ and examples/ that need a peer."""

"""Flows with phones and servers of others, and the peers against each other."""

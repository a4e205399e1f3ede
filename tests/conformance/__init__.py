"""Conformance flows: the same tests for every engine, with peers on the other side of the wire."""

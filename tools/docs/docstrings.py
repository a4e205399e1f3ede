"""Docstrings on their way through Sphinx: napoleon comes between the two functions here."""

import re

#: Public names of modules that are no part of what is promised: checks of arguments that other modules share.
NOT_PROMISED = re.compile(r"check_\w+|quietly|naming|checked_line|require")


def skipped(app, what, name, value, skip, options):
    """For ``autodoc-skip-member``: True for what is not promised, or says nothing; None for Sphinx's own choice."""
    field = (getattr(value, "__doc__", None) or "").startswith("Alias for field number")
    return True if field or NOT_PROMISED.fullmatch(name) and what == "module" else None


def hide_colons(app, what, name, value, options, lines):
    """Before napoleon: it takes the words before the first colon in the docstring of a property for its type."""
    if what in ("property", "attribute"):
        lines[:] = [line.replace(":", "\0") for line in lines]


def show_colons(app, what, name, value, options, lines):
    """After it: put them back. And "a, b: both of them" among attributes is no "b" of the type "a"."""
    lines[:] = [re.sub(r"^:ivar \w+(, \w+)+:", _joined, line.replace("\0", ":")) for line in lines]


def _joined(found):
    return found.group().replace(", ", ",")

"""A stream that shows how a program writes: in which pieces."""

from __future__ import absolute_import, division, print_function


class Pieces(object):
    """A text stream that keeps what each write() gets."""

    def __init__(self):
        self.pieces = []

    def write(self, text):
        self.pieces.append(text)

    def flush(self):
        pass

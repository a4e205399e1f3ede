"""The table of bad arguments has every public function, and each parameter of it."""

from __future__ import absolute_import, division, print_function

from misuse.inventory import functions
from misuse.table import TABLE


def test_every_function_is_in_the_table():
    there = functions()
    assert sorted(set(there) - set(TABLE)) == []
    assert sorted(set(TABLE) - set(there)) == []


def test_every_parameter_is_in_the_table():
    there = functions()
    listed = dict((name, sorted(parameters)) for name, (_, parameters) in TABLE.items())
    assert listed == dict((name, sorted(found)) for name, found in there.items())

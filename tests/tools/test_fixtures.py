"""Fixtures that stand twice are found (tools/checks/fixtures.py)."""

from tools.checks import fixtures

FIXTURE = '''
import pytest


@pytest.fixture
def %s():
    """%s"""
    %s = Peer()
    yield %s
    %s.stop()
'''
PEER = FIXTURE % ("peer", "A peer.", "made", "made", "made")
OTHER = FIXTURE % ("other", "Another one.", "peer", "peer", "peer")


def test_two_files_with_one_fixture_are_named():
    found = list(fixtures.complaints({"a.py": PEER, "b.py": OTHER}))
    assert found == ["b.py:6: the fixture other() does what peer() in a.py:6 does"]


def test_fixtures_that_differ_are_not_named():
    assert list(fixtures.complaints({"a.py": PEER, "b.py": PEER.replace("Peer()", "Peer(1)")})) == []


def test_a_parameter_makes_another_fixture():
    assert list(fixtures.complaints({"a.py": PEER, "b.py": PEER.replace("peer()", "peer(port)")})) == []


def test_functions_that_are_no_fixtures_may_be_equal():
    source = PEER.replace("@pytest.fixture\n", "")
    assert list(fixtures.complaints({"a.py": source, "b.py": source})) == []


def test_a_list_to_share_is_no_hit():
    source = "@pytest.fixture\ndef seen():\n    return []\n"
    assert list(fixtures.complaints({"a.py": source, "b.py": source})) == []


def test_two_fixtures_in_one_file_may_be_equal():
    assert list(fixtures.complaints({"a.py": PEER + OTHER})) == []

"""What was published of libosip2 since (tests/shield/cves.py): no octet is read or written that is not the library's.
On libeXosip2 with the shield in front; the double takes what the shield would have refused."""

from __future__ import absolute_import, division, print_function

from shield import cves


def test_cve_2016_10324(sweep):
    sweep.messages(cves.of_2016_10324)


def test_cve_2016_10325(sweep):
    sweep.messages(cves.of_2016_10325)


def test_cve_2016_10325_within_a_call(sweep):
    """The library takes the address of a re-INVITE for the next request's, whatever it is answered."""
    sweep.call_with("INVITE", "<%s>" % cves.long_uri())
    sweep.call_with("UPDATE", "<%s>" % cves.long_uri())


def test_cve_2016_10326(sweep):
    sweep.messages(cves.of_2016_10326)


def test_cve_2017_7853(sweep):
    sweep.messages(cves.of_2017_7853)


def test_cve_2022_41550(sweep):
    sweep.messages(cves.of_2022_41550)

"""What was published of libosip2 since (cves.py): at the shield, and at an engine behind it. tests/memory has them
under valgrind and the sanitizers."""

from __future__ import absolute_import, division, print_function

from shield import cves
from shield.messages import request
from sipbridge import shield


def _at_the_shield(found):
    for octets, verdict in found:
        assert shield.check(octets) == verdict, octets


def _on_the_wire(victim, sender, make):
    """It answers what the shield refuses in the shield's way, all else in its own, and lives on."""
    is_shielded = victim.ask("engine") == "exosip"
    for octets, (_, status, rule) in make(sender.port):
        replies = sender.replies_before(octets)
        if is_shielded:
            ours = [(each.status, each.rule) for each in replies if each.rule is not None]
            assert ours == ([(status, rule)] if status else []), octets
    assert sender.exchange(request("INVITE", "call", sender.port)).status == 200


def test_cve_2016_10324(victim, sender):
    _at_the_shield(cves.of_2016_10324())
    _on_the_wire(victim, sender, cves.of_2016_10324)


def test_cve_2016_10325(victim, sender):
    _at_the_shield(cves.of_2016_10325())
    _on_the_wire(victim, sender, cves.of_2016_10325)


def test_cve_2016_10325_takes_no_more_than_it_has_to():
    """As long as it looks, a URI of letters passes; its parameters may be long as well."""
    for uri in ("sip:" + "a" * 3800 + "@h", "sip:a@h;" + "x" * 3800):
        assert shield.check(request("INVITE", Contact="<%s>" % uri)) == cves.PASSED


def test_cve_2016_10326(victim, sender):
    _at_the_shield(cves.of_2016_10326())
    _on_the_wire(victim, sender, cves.of_2016_10326)


def test_cve_2017_7853(victim, sender):
    _at_the_shield(cves.of_2017_7853())
    _on_the_wire(victim, sender, cves.of_2017_7853)


def test_cve_2022_41550(victim, sender):
    _at_the_shield(cves.of_2022_41550())
    _on_the_wire(victim, sender, cves.of_2022_41550)

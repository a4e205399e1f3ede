"""Messages made and broken by hypothesis: whatever comes, the shield keeps its word."""

from __future__ import absolute_import, division, print_function

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shield.messages import METHODS, NEEDED, compose, fields, request
from sipbridge import shield

_TOKEN = string.ascii_letters + string.digits + "-.!%*_+`'~"
tokens = st.text(_TOKEN, min_size=1, max_size=30)
hosts = st.one_of(
    st.from_regex(r"\A[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,5}){0,2}\Z"),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map("[{}]".format),
)
ports = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))
users = st.text(string.ascii_letters + string.digits + "-_.!~*'()&=+$,;?/", min_size=1, max_size=20)
uris = st.builds(
    "{}:{}@{}{}{}".format,
    st.sampled_from(["sip", "sips", "SIP"]),
    users,
    hosts,
    ports,
    st.sampled_from(["", ";lr", ";transport=tcp;x", ";user=phone"]),
)
spaces = st.sampled_from(["", " ", "  ", "\t", "\r\n ", " \r\n\t"])
#: Without a ";", behind which the library sees another parameter: test_check.py has those.
quoted = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";"), max_size=20).map(
    lambda text: '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
)
params = st.lists(
    st.builds("{}={}".format, tokens.filter(lambda name: name.lower() != "tag"), st.one_of(tokens, quoted)), max_size=3
)
parties = st.builds(
    "{}{}<{}>{}".format,
    st.one_of(st.just(""), quoted, st.lists(tokens, max_size=3).map(" ".join)),
    spaces,
    uris,
    st.tuples(st.one_of(st.just([]), tokens.map(lambda tag: ["tag=" + tag])), params).map(
        lambda both: "".join(" ;" + each for each in both[0] + both[1])
    ),
)
vias = st.builds(
    "SIP{0}/{0}2.0{0}/{0}{1} {2}{3}{4}".format,
    spaces,
    st.sampled_from(["UDP", "TCP", "TLS", "SCTP", "X-NEW"]),
    hosts,
    ports,
    params.map(lambda found: "".join(";" + each for each in found if not each.lower().startswith("received"))),
)
others = st.lists(
    st.tuples(tokens.map("X-{}".format), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)),
    max_size=5,
)

scraps = st.sampled_from([b"Via:", b"\r\n", b"SIP/2.0", b" ", b"<", b'"', b"\0"])


@st.composite
def well_formed(draw):
    """The octets of a request in which everything is as the grammar wants it."""
    method = draw(st.one_of(st.sampled_from(METHODS), tokens))
    pairs = [
        ("Via", ", ".join(draw(st.lists(vias, min_size=1, max_size=3)))),
        (draw(st.sampled_from(["From", "f", "FROM"])), draw(parties)),
        (draw(st.sampled_from(["To", "t", "tO"])), draw(parties)),
        (draw(st.sampled_from(["Call-ID", "i"])), draw(tokens)),
        ("CSeq", "%d%s %s" % (draw(st.integers(0, 2**31 - 1)), draw(spaces), method)),
        ("Contact", ",".join("<%s>" % uri for uri in draw(st.lists(uris, min_size=1, max_size=3)))),
    ]
    body = draw(st.binary(max_size=60))
    pairs += draw(others) + [(draw(st.sampled_from(["Content-Length", "l"])), str(len(body)))]
    uri = draw(uris)
    return compose("%s %s SIP/2.0" % (method, uri), draw(st.permutations(pairs)), body)


some = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@some
@given(well_formed())
def test_well_formed_messages_pass(octets):
    assert shield.check(octets) == ("pass", 0, "")


@some
@given(
    st.sampled_from(METHODS),
    st.sampled_from(NEEDED + ("Call-ID",)),
    st.sampled_from([None, "", " ", "\r\n ", "\t"]),
)
def test_messages_that_lack_a_field_do_not_pass(method, header, value):
    verdict = shield.check(request(method, **{header.replace("-", "_"): value}))
    assert verdict.rule == header.lower()


@some
@given(well_formed(), st.data())
def test_no_octet_ends_a_library_s_string_early(octets, data):
    """A NUL, or a CR or LF of its own, anywhere in the header, outside of quotes."""
    end = octets.index(b"\r\n\r\n")
    at = data.draw(st.integers(0, end))
    if b'"' in octets[:end] or octets[at - 1 : at] == b"\r":
        return
    wrong = data.draw(st.sampled_from([b"\0", b"\r", b"\n", b"\x01", b"\x7f"]))
    if wrong in b"\r\n" and at == 0:  # in front of the start line it is a keep-alive's (7.5)
        return
    assert shield.check(octets[:at] + wrong + octets[at:]).action != "pass"


@some
@given(well_formed(), st.data())
def test_a_cut_message_does_not_pass(octets, data):
    at = data.draw(st.integers(5, len(octets) - 1))
    assert shield.check(octets[:at]).action != "pass"


@some
@given(st.one_of(st.binary(max_size=300), st.lists(scraps, max_size=60).map(b"".join)))
def test_any_octets_have_a_verdict(octets):
    verdict = shield.check(octets)
    assert (verdict.action == "answer") == (verdict.status in (400, 505))
    assert (verdict.action == "pass") == (verdict.rule == "")


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_fields_does_not_matter(method):
    pairs = fields(method)
    for turn in range(len(pairs)):
        turned = compose("%s sip:s@host SIP/2.0" % method, pairs[turn:] + pairs[:turn])
        assert shield.check(turned).action == "pass"

"""Requests with one odd header value each: methods, header fields and values, and all that can be made of them."""

from __future__ import absolute_import, division, print_function

METHODS = (
    "INVITE ACK OPTIONS BYE CANCEL REGISTER MESSAGE SUBSCRIBE NOTIFY REFER INFO UPDATE PRACK PUBLISH FROBNICATE"
).split()

#: Of RFC 3261 and its extensions, as IANA lists them; the compact forms; one that nobody knows.
HEADERS = """
Accept Accept-Contact Accept-Encoding Accept-Language Accept-Resource-Priority Additional-Identity Alert-Info Allow
Allow-Events Answer-Mode Attestation-Info Authentication-Info Authorization Call-ID Call-Info Cellular-Network-Info
Contact Content-Disposition Content-Encoding Content-ID Content-Language Content-Length Content-Type CSeq Date
Error-Info Event Expires Feature-Caps Flow-Timer From Geolocation Geolocation-Error Geolocation-Routing Hide
History-Info Identity Identity-Info In-Reply-To Info-Package Join Max-Breadth Max-Forwards MIME-Version Min-Expires
Min-SE Organization Origination-Id P-Access-Network-Info P-Answer-State P-Asserted-Identity P-Asserted-Service
P-Associated-URI P-Called-Party-ID P-Charge-Info P-Charging-Function-Addresses P-Charging-Vector
P-DCS-Billing-Info P-DCS-LAES P-DCS-OSPS P-DCS-Redirect P-DCS-Trace-Party-ID P-Early-Media P-Media-Authorization
P-Preferred-Identity P-Preferred-Service P-Private-Network-Indication P-Profile-Key P-Refused-URI-List P-Served-User
P-User-Database P-Visited-Network-ID Path Permission-Missing Policy-Contact Policy-ID Priority Priority-Share
Priority-Verstat Priv-Answer-Mode Privacy Proxy-Authenticate Proxy-Authentication-Info Proxy-Authorization
Proxy-Require RAck Reason Reason-Phrase Record-Route Recv-Info Refer-Events-At Refer-Sub Refer-To Referred-By
Reject-Contact Relayed-Charge Replaces Reply-To Request-Disposition Require Resource-Priority Resource-Share
Response-Key Response-Source Restoration-Info Retry-After Route RSeq Security-Client Security-Server Security-Verify
Server Service-Interact-Info Service-Route Session-Expires Session-ID SIP-ETag SIP-If-Match Subject
Subscription-State Supported Suppress-If-Match Target-Dialog Timestamp To Trigger-Consent Unsupported User-Agent
User-to-User Via Warning WWW-Authenticate X-Unknown
a b c d e f i j k l m n o r s t u v x y
""".split()

VALUES = (
    # nothing, white space, and lists of it
    "", " ", "\t", "   ", "\r\n ", " \r\n\t", ",", ", ", " ,", ",,", ", ,", "a, ,b", "a,\t,b", "a,,b", "a,", "a, , ",
    # parameters
    ";", ";;", ";=", "=", "a=", "a;", "a;b", "a;b=", "a;=b", "a;b=c;", 'a;b="', 'a;b=""', 'a;b="c;tag;d"',
    'a;b=";branch;d"', 'a/b;a=";boundary=x"', "call;to-tag;from-tag", "call;to-tag=a;from-tag=b",
    # quotes and brackets
    '"', '""', '"a', 'a"', '"a\\"', '"\\', "\\", '\\"', 'a"b, ,c', '"a, ,b"', "<", ">", "<>", "< >", "<<>>", "><",
    "(", ")", "((((", "[", "[]", ":", "::", "a:b", "@", "a@", "@b", "a@b",
    # addresses
    "sip:", "sip:a@b", "<sip:>", "<sip:a>", "<sip:a@b>", "<sip:a@b>;", "<sip:a@b>;tag", "<sip:a@b>;tag=", ";tag=1",
    "<sip:a@[::1]>", "<sip:a@[::1>", "<sip:a@b:>", "<sip:a@b:99999>", "<sip:a%00@b>", "<sip:%@b>", "<sip:a@b;>",
    "<sip:a@b?x>", "<sip:a@b?x=>", "<sip:a@b?x=y&>", "<sip:a@b?Route=%3Csip:c%3E>", "<tel:1>", "*", "**",
    "<http://a/b>;purpose=icon", "<sip:" + "^" * 1000 + "@b>", "<sip:" + "^" * 1400 + "@b>",
    # numbers
    "0", "1", "-1", "4294967295", "4294967296", "99999999999999999999", "1 2", "1 INVITE", "0.5", "1;refresher",
    "1;refresher=", "90;refresher=uac", "1.0", "0000000001",
    # media types and challenges
    "a/b", "a/", "/b", "/", "a/b;q", "*/*;q=0.5, */*", "multipart/mixed", "multipart/mixed;boundary=x", "Digest",
    "Digest a", "Digest a=", 'Digest a="', 'Digest realm="r",nonce="n"', 'Digest realm="",nonce=""', "Digest ,",
    "Basic YTpi",
    # words of other header fields
    "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP h;branch", "SIP/2.0/UDP h;received=;rport=a", "active;expires",
    "terminated;reason", "presence;id", "timer", "100rel", "Sat, 13 Nov 2010 23:29:00 GMT",
    # octets
    "%s%n%x", "\x80\xff", "\xc3\xa4", "a\x00b", '"\\\x00"', "x" * 1000,
    "x" * 3000,
)  # fmt: skip

_BODY = "hello"

_FIELDS = [
    ("Via", "SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKodd%(number)d;rport"),
    ("From", "<sip:odd@127.0.0.1>;tag=odd%(number)d"),
    ("To", "<sip:service@127.0.0.1>"),
    ("Call-ID", "odd-%(number)d-%(port)d"),
    ("CSeq", "1 %(method)s"),
    ("Contact", "<sip:odd@127.0.0.1:%(port)d>"),
    ("Max-Forwards", "70"),
    ("Supported", "timer"),
    ("Content-Type", "text/plain"),
    ("Content-Length", "5"),
]


def lines(pairs, header, value):
    """Header lines with one more, or another in the place of its own."""
    kept = [pair for pair in pairs if pair[0].lower() != header.lower()]
    return "".join("%s: %s\r\n" % pair for pair in kept + [(header, value)])


def request(method, header, value, number, port):
    """The octets of one. ``number`` tells it from the others, ``port`` is where it comes from."""
    values = {"method": method, "number": number, "port": port}
    pairs = [(name, text % values) for name, text in _FIELDS]
    text = "%s sip:service@127.0.0.1 SIP/2.0\r\n%s\r\n%s" % (method, lines(pairs, header, value), _BODY)
    return text.encode("latin-1")


def of_method(method):
    """(method, header, value) of every header field and every value."""
    return [(method, header, value) for header in HEADERS for value in VALUES]


def a_few(step):
    """Every ``step``-th of all: each header field and each value is among them."""
    everything = [(method, header, value) for header in HEADERS for value in VALUES for method in METHODS]
    return everything[::step]

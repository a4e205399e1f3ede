"""A client's part of digest authentication (RFC 7616, 3.4), written apart from the package's."""

from __future__ import absolute_import, division, print_function

import hashlib
import re

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def parameters(challenge):
    """The parameters of a challenge, as a dict."""
    found = re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', challenge)
    return dict((name, quoted or plain) for name, quoted, plain in found)


def choose(challenges, algorithm=None):
    """The challenge of that algorithm among several, or (None) the first."""
    return [each for each in challenges if algorithm in (None, parameters(each)["algorithm"])][0]


def hashed(algorithm, *parts):
    return HASHES[algorithm](u":".join(parts).encode("utf-8")).hexdigest()


def answer(challenge, user, password, method, target, count=1, **changes):
    """The value of Authorization. ``changes``: other values of parameters; None leaves one out."""
    asked = parameters(challenge)
    algorithm, counted = asked["algorithm"], u"%08x" % count
    secret = hashed(algorithm, user, asked["realm"], password)
    own = hashed(algorithm, method, target)
    response = hashed(algorithm, secret, asked["nonce"], counted, u"c0ffee", u"auth", own)
    values = dict(username=user, realm=asked["realm"], nonce=asked["nonce"], uri=target)
    values.update(response=response, cnonce=u"c0ffee")
    plain = dict(algorithm=algorithm, qop=u"auth", nc=counted)
    pairs = [(name, u'"%s"' % value) for name, value in sorted(values.items())] + sorted(plain.items())
    pairs = [(name, changes.pop(name, value)) for name, value in pairs] + sorted(changes.items())
    return u"Digest " + u", ".join(u"%s=%s" % pair for pair in pairs if pair[1] is not None)

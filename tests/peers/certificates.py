"""Certificates for tests, made with openssl: an authority, one of its for 127.0.0.1, one for another host, and one
that nobody vouches for."""

from __future__ import absolute_import, division, print_function

import os
import subprocess
from collections import namedtuple

from peers.process import require

#: An elliptic curve: it is made at once, where RSA takes a second of the processor for a handful.
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Certificates(namedtuple("Certificates", "ca certificate key other other_key strange strange_key")):
    """Paths of PEM files."""


def make(folder):
    """Make them in a folder. Returns :class:`Certificates`."""
    openssl = require("openssl")

    def run(*arguments):
        with open(os.path.join(folder, "openssl.log"), "ab") as log:
            subprocess.check_call([openssl] + list(arguments), cwd=folder, stdout=log, stderr=subprocess.STDOUT)

    def request(name, host):
        # Sofia-SIP reads an IP address in CN, not in subjectAltName.
        options = ["-subj", "/CN=" + host, "-keyout", name + ".key", "-out", name + ".csr"]
        run("req", *(_NEW_KEY + options))

    def sign(name, host, signer):
        with open(os.path.join(folder, name + ".ext"), "w") as extensions:
            kind = "IP" if host[0].isdigit() else "DNS"
            extensions.write("subjectAltName=%s:%s\n" % (kind, host))
            # Python 3.13 and newer want to be told whose it is (RFC 5280, 4.2.1.1).
            extensions.write("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n")
        key = ["-CA", signer + ".pem", "-CAkey", signer + ".key", "-CAcreateserial"]
        if signer == name:
            key = ["-signkey", name + ".key"]
        run("x509", "-req", "-in", name + ".csr", "-days", "2", "-extfile", name + ".ext", "-out", name + ".pem", *key)

    options = ["-x509", "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"]
    options += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    run("req", *(_NEW_KEY + options))
    for name, host, signer in [
        ("here", "127.0.0.1", "ca"),
        ("elsewhere", "elsewhere.example", "ca"),
        ("stranger", "127.0.0.1", "stranger"),
    ]:
        request(name, host)
        sign(name, host, signer)
    names = ["ca.pem", "here.pem", "here.key", "elsewhere.pem", "elsewhere.key", "stranger.pem", "stranger.key"]
    return Certificates(*[os.path.join(folder, name) for name in names])

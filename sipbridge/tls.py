"""Certificates for endpoints on TLS (RFC 3261, 26.2.1; RFC 5922)."""

from __future__ import absolute_import, division, print_function

import os

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_file
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Optional

#: Whose certificate is verified, in the order of enum sb_tls_verify (csrc/contract/engine.h).
VERIFY = ("server", "none", "both")


class Tls(NamedTuple("Tls", [
    ("certificate", "Optional[str]"),
    ("private_key", "Optional[str]"),
    ("ca_file", "Optional[str]"),
    ("verify", 'Literal["server", "none", "both"]'),
])):
    """The certificates of an endpoint on ``tls://``, and those that it trusts.

    Args:
        certificate: path of a PEM file with the endpoint's certificate and its chain; None for an endpoint that
            only connects to others.
        private_key: path of a PEM file with its key, not encrypted; None when the key is in ``certificate``.
        ca_file: path of a PEM file with the authorities whose certificates are trusted; None for the system's.
        verify: ``"server"``, the default, verifies the server's certificate, and that it names the host of the
            request's URI (RFC 5922, 7.2). ``"both"`` also demands a certificate of each client. ``"none"`` verifies
            nothing, so anybody on the way can read and change what is sent.

    Raises InputError when a file cannot be read, or holds no certificate with its key (which Python 2.7.3 cannot
    check).
    """

    __slots__ = ()

    def __new__(cls, certificate=None, private_key=None, ca_file=None, verify="server"):
        # type: (Optional[str], Optional[str], Optional[str], Literal["server", "none", "both"]) -> Tls
        if verify not in VERIFY:
            raise InputError("verify is one of %s, not %r" % (", ".join(VERIFY), verify))
        if private_key is not None and certificate is None:
            raise InputError("a private key without its certificate: %r" % (private_key,))
        if ca_file is None and verify != "none":
            ca_file = _system_ca_file()
        files = (("certificate", certificate), ("private_key", private_key), ("ca_file", ca_file))
        paths = [None if path is None else check_file(path, what) for what, path in files]
        _check_pair(paths[0], paths[1])
        return super(Tls, cls).__new__(cls, paths[0], paths[1], paths[2], verify)


def _ssl():
    # type: () -> Any
    """Python's ssl module. It is loaded for TLS alone, because that takes a while."""
    import ssl

    return ssl


def _system_ca_file():
    # type: () -> str
    paths = getattr(_ssl(), "get_default_verify_paths", lambda: None)()
    found = paths and (paths.cafile or paths.openssl_cafile)
    for path in (found, "/etc/ssl/certs/ca-certificates.crt"):
        if path and os.path.exists(path):
            return path
    raise InputError("this system has no file of trusted certificates that Python knows: name one with ca_file=")


def _check_pair(certificate, private_key):
    # type: (Optional[str], Optional[str]) -> None
    """Raise InputError unless the files hold a certificate and its key."""
    ssl = _ssl()
    context = getattr(ssl, "SSLContext", None)
    if context is None or certificate is None:
        return
    try:
        context(getattr(ssl, "PROTOCOL_TLS_SERVER", ssl.PROTOCOL_SSLv23)).load_cert_chain(
            certificate, private_key, password=_refuse_password
        )
    except (ssl.SSLError, ValueError) as error:
        raise InputError("certificate %s with key %s: %s" % (certificate, private_key or certificate, error))


def _refuse_password():
    # type: () -> str
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")

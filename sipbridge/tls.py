"""Certificates for endpoints on TLS (RFC 3261, 26.2.1; RFC 5922)."""

from __future__ import absolute_import, division, print_function

import os

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_file
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Optional

#: Whose certificate has to be right, in the order of enum sb_tls_verify (csrc/contract/engine.h).
VERIFY = ("server", "none", "both")


class Tls(NamedTuple("Tls", [
    ("certificate", "Optional[str]"),
    ("private_key", "Optional[str]"),
    ("ca_file", "Optional[str]"),
    ("verify", 'Literal["server", "none", "both"]'),
])):
    """What an endpoint on ``tls://`` shows and believes.

    Args:
        certificate: path of a PEM file with the endpoint's certificate and its chain; None for an endpoint that
            only connects to others.
        private_key: path of a PEM file with its key, not encrypted; None when it is in ``certificate``.
        ca_file: path of a PEM file with the certificates that vouch for peers; None for the system's.
        verify: ``"server"``, the default: the server's certificate is verified, and that it names the host that was
            asked for (RFC 5922, 7.2). ``"both"``: each client has to show a certificate, too. ``"none"``: nothing is
            verified, which protects from nobody who can reach the network.

    Raises InputError when a file cannot be read, or where Python's ssl module says so (not on 2.7.3) is no
    certificate with its key.
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
    """Python's ssl module, which is not loaded for those who do without: it takes a while."""
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
    """That the certificate and the key are such, and belong together."""
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

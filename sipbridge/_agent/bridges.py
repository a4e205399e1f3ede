"""The part of an endpoint that connects others with each other: bridges, and third party call control (RFC 3725)."""

from __future__ import absolute_import, division, print_function

from sipbridge._agent import configuration
from sipbridge._later import later
from sipbridge._text.arguments import check_octets, check_timeout
from sipbridge.errors import TimeoutError
from sipbridge.headers import check_headers
from sipbridge.uri import check_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple, Union, cast

    from sipbridge import reason
    from sipbridge._agent.agent import Agent
    from sipbridge._call import connecting, descriptions
    from sipbridge._call.bridge import Bridge
    from sipbridge._call.call import Call
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields
    from sipbridge.uri import TransportAddress
else:
    connecting, descriptions, reason = later(
        "sipbridge._call.connecting", "sipbridge._call.descriptions", "sipbridge.reason"
    )


class Bridges(object):
    """The part of :class:`~sipbridge.Endpoint` that connects calls."""

    if TYPE_CHECKING:
        _agent = cast("Agent", None)
        _local = cast("TransportAddress", None)
        _advertised = cast("Optional[Tuple[str, int]]", None)

    def begin_bridge(self, first, second, headers=(), from_=None, route=None):
        # type: (Call, Union[Call, str], HeaderFields, Optional[str], Optional[str]) -> Bridge
        """Begin to connect the peers of two calls with each other. Returns the :class:`~sipbridge.Bridge` at once.

        Args:
            first: a call of this endpoint, in any state before its end.
            second: another one; or a URI or name-addr, which is called with ``headers``, ``from_`` and ``route``, as
                by :meth:`invite`. Give one of the calls an offer of yours at most.

        The media go from peer to peer. From now on the calls end together, and what one peer asks for is passed on to
        the other unless a handler answers it: docs/third-parties.md. A :class:`~sipbridge.BridgeChanged` tells when
        the peers are connected. Raises InputError, and CallStateError if the calls cannot be connected.
        """
        options = {"headers": check_headers(headers), "from_": from_, "route": route}
        self._agent.parties("sip:nobody", from_, route)  # checks them, also where nobody has to be called
        return connecting.bridge(self._agent, first, second, options)

    def bridge(self, first, second, headers=(), from_=None, route=None, timeout=60.0):
        # type: (Call, Union[Call, str], HeaderFields, Optional[str], Optional[str], Optional[float]) -> Bridge
        """Connect the peers of two calls with each other, and return the :class:`~sipbridge.Bridge` when they are.

        It waits at most ``timeout`` seconds (None: no limit). The other arguments are those of :meth:`begin_bridge`.
        If it raises something, both calls are hung up: what :meth:`begin_bridge` and ``Bridge.wait_connected`` raise.
        """
        check_timeout(timeout)
        return _connected(self.begin_bridge(first, second, headers, from_, route), timeout)

    def begin_click_to_call(
        self, first, second, flow="IV", offer=None, headers=(), first_from=None, second_from=None, route=None
    ):
        # type: (str, str, str, Optional[Body], HeaderFields, Optional[str], Optional[str], Optional[str]) -> Bridge
        """Call ``first``, then ``second``, and connect them (RFC 3725). Returns the :class:`~sipbridge.Bridge` at once.

        Args:
            first, second: whom to call, each a URI or name-addr.
            flow: "IV" (RFC 3725, 4.4): ``first`` is called without media, then ``second``, and ``first`` gets the
                offer of ``second`` in a re-INVITE. Or "I" (4.1): ``second`` gets the offer of ``first``, which waits
                for its ACK meanwhile: for a ``second`` that answers at once. After 30 s without an answer both calls
                end.
            offer: in flow IV the SDP for ``first``, bytes; None for one without media.
            headers: more headers for both INVITEs, a mapping or pairs.
            first_from, second_from: the URI or name-addr for From, that is who calls to ``first`` and to
                ``second``; None for the identity.
            route: URI of a proxy to send both to; None for the endpoint's.

        Raises InputError and EngineError.
        """
        named = ("first", first), ("second", second), ("first_from", first_from), ("second_from", second_from)
        for name, address in named:
            if address is not None or not name.endswith("from"):
                check_address(address, name)
        options = [{"headers": headers, "from_": each, "route": route} for each in (first_from, second_from)]
        if offer is None:
            host = self._advertised[0] if self._advertised else configuration.reachable(self._local.host)
        ours = descriptions.no_media(host) if offer is None else check_octets(offer, "offer")
        return connecting.click_to_call(self._agent, first, second, flow, ours, (options[0], options[1]))

    def click_to_call(
        self, first, second, flow="IV", offer=None, headers=(), first_from=None, second_from=None, route=None,
        timeout=60.0
    ):
        # type: (str, str, str, Optional[Body], HeaderFields, Optional[str], Optional[str], Optional[str], Optional[float]) -> Bridge
        """Call ``first``, then ``second``, and return the :class:`~sipbridge.Bridge` when they are connected.

        It waits at most ``timeout`` seconds (None: no limit), for both. The other arguments are those of
        :meth:`begin_click_to_call`. If it raises something, both calls are hung up: what :meth:`begin_click_to_call`
        and ``Bridge.wait_connected`` raise.
        """
        check_timeout(timeout)
        made = self.begin_click_to_call(first, second, flow, offer, headers, first_from, second_from, route)
        return _connected(made, timeout)


def _connected(made, timeout):
    # type: (Bridge, Optional[float]) -> Bridge
    """Wait for a bridge; hang it up when that raises something, an interrupt from the keyboard, too."""
    try:
        made.wait_connected(timeout)
    except TimeoutError:
        made.hangup(why=reason.Reason("SIP", 408, "Request Timeout"))
        raise
    except BaseException:
        made.hangup()
        raise
    return made

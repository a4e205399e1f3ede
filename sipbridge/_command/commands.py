"""The commands of ``sipbridge``. Each takes the parsed options and a Console, and returns an exit code."""

from __future__ import absolute_import, division, print_function

import io
import os
import signal
import sys
from contextlib import contextmanager
from functools import partial

from sipbridge._agent.endpoint import Endpoint
from sipbridge._call.call import SDP
from sipbridge._command.console import KEY_VARIABLE, Interrupted, password_for
from sipbridge._command.trace import render
from sipbridge._compat import PY2, monotonic
from sipbridge._engine.content import MessageTooLarge, make_content
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.libraries import available
from sipbridge._engine.local_address import SOMEWHERE, source_address
from sipbridge._later import later
from sipbridge._text.parameters import parse_parameters
from sipbridge._text.printable import printable
from sipbridge._version import __version__
from sipbridge.errors import (
    InputError,
    NotSupportedError,
    PeerUnreachable,
    ResponseError,
    TimeoutError,
    TransportError,
)
from sipbridge.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallReinvited,
    InfoReceived,
    RegistrationChanged,
    TransferProgress,
)
from sipbridge.payload import PCMA, PCMU, telephone_event
from sipbridge.tls import Tls
from sipbridge.uri import parse_address, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import platform
    from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union

    from sipbridge import flight, hep, record, sdp, svg
    from sipbridge import ladder as _ladder
    from sipbridge._agent import watch
    from sipbridge._call.call import Call
    from sipbridge._command import diagram_input
    from sipbridge._command import doctor as _doctor
    from sipbridge._command.console import Console
    from sipbridge._engine import container
    from sipbridge._engine.remote import Remote
    from sipbridge._engine.response import Response
else:  # what some commands need, and container, which is for Python 3 alone
    platform, flight, hep, _ladder = later("platform", "sipbridge.flight", "sipbridge.hep", "sipbridge.ladder")
    record, sdp, svg = later("sipbridge.record", "sipbridge.sdp", "sipbridge.svg")
    watch, container = later("sipbridge._agent.watch", "sipbridge._engine.container")
    diagram_input, _doctor = later("sipbridge._command.diagram_input", "sipbridge._command.doctor")

OK = 0

# The seconds that a command waits for the peer when it hangs up.
_BYE_TIMEOUT = 5.0
_CLOSE_TIMEOUT = 1.0

# The discard port, which ignores all that it receives (RFC 863).
_DISCARD = 9


# -- the endpoint ------------------------------------------------------------------------------------------


def local_address(target):
    # type: (str) -> str
    """``udp://host:0``, with this machine's address on the route to the SIP URI ``target`` as host.

    The transport is the one that the URI names (RFC 3261, 19.1.1); TLS for ``sips:``. For a host name without an
    address (a domain with SRV records only) it takes the default route. Raises InputError.
    """
    uri = parse_uri(target)
    host = source_address(uri.host.strip("[]") or SOMEWHERE, uri.port or 5060) or source_address(
        SOMEWHERE, 5060
    )
    named = parse_parameters(";" + uri.parameters)[1].get("transport")
    transport = "tls" if uri.scheme == "sips" else (named or "udp").lower()
    host = host or "127.0.0.1"
    return "%s://%s:0" % (transport, "[%s]" % host if ":" in host else host)


@contextmanager
def opened(options, console, local, identity=None, allow=None):
    # type: (argparse.Namespace, Console, str, Optional[str], Optional[List[str]]) -> Iterator[Endpoint]
    """A context with the endpoint that the options describe. It closes the endpoint at its end in any case.

    ``allow``: the networks from which it takes calls, or None.
    """
    password = None if options.user is None else password_for(options.user)
    phone = Endpoint(
        local,
        identity=identity,
        engine=_engine(options),
        outbound_proxy=options.proxy,
        user_agent="sipbridge/" + __version__,
        advertised=options.advertised,
        resolv_conf=options.resolv_conf,
        keepalive=options.keepalive,
        tls=_tls(options),
        trace=(lambda message: console.lines(render(message))) if options.trace else None,
        record=None if options.record is None else record.Recorder(options.record, options.record_credentials),
        hep=_hep(options),
        flight=None if options.flight is None else flight.FlightRecorder(options.flight, signal=signal.SIGUSR1),
        allow=allow,
    )
    try:
        if options.user is not None and password is not None:
            phone.add_credentials(options.user, password)
        yield phone
    finally:
        options.interrupts.ignore()
        phone.close(_CLOSE_TIMEOUT)


def _hep(options):
    # type: (argparse.Namespace) -> Optional[hep.CaptureAgent]
    """Where the options have the messages sent, or None."""
    if options.hep is None:
        return None
    return hep.CaptureAgent(options.hep, options.hep_id, os.environ.get(KEY_VARIABLE))


def _engine(options):
    # type: (argparse.Namespace) -> Union[None, str, Remote]
    """The engine that the options name. Raises NotSupportedError."""
    if options.engine != "container":
        name = options.engine  # type: Optional[str]
        return name
    if PY2:
        raise NotSupportedError("an engine in a container is for Python 3, as the Docker SDK is")
    engine = container.Container(options.image, network=options.network)  # type: Remote
    return engine


def _tls(options):
    # type: (argparse.Namespace) -> Optional[Tls]
    """The Tls that the options describe, or None."""
    given = (options.certificate, options.key, options.ca, options.verify)
    return Tls(given[0], given[1], given[2], given[3] or "server") if any(given) else None


def local_for(options, target):
    # type: (argparse.Namespace, str) -> str
    """The address to use here for a command with that target."""
    return options.local or local_address(options.proxy or parse_address(target).uri)


# -- session descriptions ----------------------------------------------------------------------------------


def read_file(path):
    # type: (str) -> bytes
    """The octets of a file. Raises InputError, which names the file."""
    try:
        with io.open(path, "rb") as stream:
            return stream.read()
    except (IOError, OSError) as error:
        raise InputError("cannot read %s: %s" % (path, error.strerror))


def silent_sdp(host, direction="inactive"):
    # type: (str, str) -> bytes
    """A session description of one audio stream on the discard port, so that no media flows (RFC 3264, 5.1)."""
    audio = sdp.medium("audio", _DISCARD, [PCMU, PCMA, telephone_event()], direction)
    return sdp.build(host, [audio], name="sipbridge").raw


def sdp_for(options, phone):
    # type: (argparse.Namespace, Endpoint) -> bytes
    if options.sdp is not None:
        body = read_file(options.sdp)
        if not body.strip():
            raise InputError("no session description in %s" % options.sdp)
        make_content((), body, SDP)  # raises an error now; a handler could only log it
        return body
    direction = "inactive" if getattr(options, "hold", None) is None else "sendrecv"  # only such a stream can be held
    return silent_sdp(phone.address.partition("://")[2].rpartition(":")[0], direction)


# -- telling what happens ----------------------------------------------------------------------------------


def size_of(sdp):
    # type: (Optional[bytes]) -> str
    return ", no SDP" if sdp is None else ", SDP of %d octets" % len(sdp)


def _info(event):
    # type: (InfoReceived) -> str
    if event.dtmf:
        return "DTMF %s" % event.dtmf
    return "INFO %s, %d octets" % (event.content_type or "without a type", len(event.body))


#: The text for each event of a call.
DESCRIPTIONS = {
    CallProgress: lambda event: "%d %s%s" % (event.status, event.reason, size_of(event.sdp)),
    CallAnswered: lambda event: "answered, %d %s%s" % (event.status, event.reason, size_of(event.sdp)),
    CallConfirmed: lambda event: "confirmed%s" % (size_of(event.sdp) if event.sdp else ""),
    CallReinvited: lambda event: "re-INVITE%s" % size_of(event.sdp),
    InfoReceived: _info,
    TransferProgress: lambda event: "transfer, %d %s" % (event.status, event.reason),
    CallEnded: lambda event: "ended, %s (%d %s)" % (event.cause, event.status, event.reason),
}


# -- version -----------------------------------------------------------------------------------------------


def version(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Print the versions of sipbridge, of Python, and of each engine that this Python can load."""
    console.line("sipbridge %s" % __version__)
    console.line("Python %s (%s)" % (platform.python_version(), platform.python_implementation()))
    engines = available()
    for name in sorted(engines):
        console.line("%s %s" % (name, engines[name]))
    if not engines:
        InProcess()  # raises an error that tells why there is none, and what to do
    return OK


# -- doctor ------------------------------------------------------------------------------------------------


def doctor(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Check whether this machine has what the image needs, and explain what is missing."""
    return _doctor.report(_doctor.System(), console.line)


# -- call --------------------------------------------------------------------------------------------------


def call(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Place a call, send keys, keep it up for the given time, hang up."""
    with opened(options, console, local_for(options, options.to), options.from_) as phone:
        for kind, describe in DESCRIPTIONS.items():
            phone.on(kind, partial(_tell, console, describe))
        sdp = sdp_for(options, phone)
        console.event("calling %s from %s (%s)" % (options.to, phone.address, phone.engine_name))
        placed = phone.invite(options.to, sdp, options.header, follow_redirects=options.follow)
        try:
            placed.wait_answered(options.timeout)
            if options.dtmf:
                placed.send_dtmf(options.dtmf)
                console.event("sent DTMF %s" % options.dtmf)
            _hold(options, console, placed)
            _transfer(options, console, placed)
            _stay(options, placed)
        except Interrupted:
            # Without a duration, the user interrupts an answered call to end it, so that is no failure.
            if options.duration is not None or placed.state not in ("established", "ended"):
                raise
        return _hang_up(placed)


def _tell(console, describe, event):
    # type: (Console, Callable[[Any], str], Any) -> None
    console.event(describe(event))


def _hold(options, console, placed):
    # type: (argparse.Namespace, Console, Call) -> None
    """Put the call on hold for the given time, if the options ask for that."""
    if options.hold is None:
        return
    if placed.hold() is None:
        raise InputError("the session description is on hold from the start")
    console.event("on hold")
    try:
        placed.wait_ended(options.hold)
    except TimeoutError:
        placed.resume()
        console.event("resumed")


def _transfer(options, console, placed):
    # type: (argparse.Namespace, Console, Call) -> None
    """Transfer the peer, if the options ask for that."""
    if options.transfer is not None:
        console.event("transferring to %s" % options.transfer)
        placed.transfer(options.transfer, timeout=options.timeout)


def _stay(options, placed):
    # type: (argparse.Namespace, Call) -> None
    """Keep the call up for the given time, or until the peer ends it."""
    try:
        placed.wait_ended(options.duration)
    except TimeoutError:
        pass


def _hang_up(placed):
    # type: (Call) -> int
    """End the call, and wait for its end."""
    placed.hangup()
    ended = placed.wait_ended(_BYE_TIMEOUT)
    if ended.cause == "failed":
        raise TransportError("the call was lost: %s" % ended.reason)
    if ended.cause == "timeout":
        raise TimeoutError("the peer no longer answered: %d %s" % (ended.status, ended.reason))
    return OK


# -- register ----------------------------------------------------------------------------------------------


def register(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Register, and keep the registration up until the user interrupts."""
    aor = options.aor or _default_aor(options)
    with opened(options, console, local_for(options, options.registrar), aor) as phone:
        if options.list or options.remove_all:
            return _bindings(options, console, phone)
        heard = []  # type: List[RegistrationChanged]
        phone.on(RegistrationChanged, lambda event: _tell_registration(event, console, heard))
        try:
            registration = phone.register(
                options.registrar, aor, options.contact, options.expires, options.timeout
            )
            if options.once:
                registration.unregister(options.timeout)
                return OK
            while not _failures(heard) and not console.broken.is_set():
                console.broken.wait(1.0)
                phone.wait_closed(0.0)  # raises an error if the endpoint has failed
        except Interrupted:
            if options.once or not heard:
                raise
            return OK
        error = registration.error
        if _failures(heard) and error is not None:
            raise error
    return OK


def _bindings(options, console, phone):
    # type: (argparse.Namespace, Console, Endpoint) -> int
    """Remove the bindings if the options ask for that, and print those that there are."""
    if options.remove_all:
        phone.unregister_all(options.registrar, timeout=options.timeout)
    contacts = phone.bindings(options.registrar, timeout=options.timeout)
    console.lines(contacts or ["no bindings"])
    return OK


def _default_aor(options):
    # type: (argparse.Namespace) -> Optional[str]
    if options.user is None:
        raise InputError("give --aor, or --user for an address at the registrar's host")
    return "sip:%s@%s" % (options.user, parse_uri(options.registrar).host)


def _failures(heard):
    # type: (Iterable[RegistrationChanged]) -> List[RegistrationChanged]
    return [event for event in heard if event.state == "failed"]


def _tell_registration(event, console, heard):
    # type: (RegistrationChanged, Console, List[RegistrationChanged]) -> None
    heard.append(event)  # before the line is printed, because the user may interrupt after it
    aor = event.registration.aor
    if event.state == "active":
        console.event("registered %s for %d s" % (aor, event.expires))
    elif event.state == "ended":
        console.event("unregistered %s" % aor)
    else:
        console.event("registration of %s failed (%d %s)" % (aor, event.status, event.reason))


# -- message -----------------------------------------------------------------------------------------------


def message(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Send a MESSAGE, and wait until the peer accepts it."""
    body = standard_input() if options.text == "-" else options.text
    with opened(options, console, local_for(options, options.to), options.from_) as phone:
        try:
            response = phone.message(
                options.to,
                body,
                options.content_type,
                options.header,
                timeout=options.timeout,
                large=options.large,
            )
        except MessageTooLarge as error:
            raise MessageTooLarge(error.size, "--large")
        console.event("%d %s" % (response.status, response.reason))
    return OK


# -- ping --------------------------------------------------------------------------------------------------


def ping(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Ask a peer with OPTIONS, again and again, whether it is there. Any response but 408, 502, 503 and 504 counts."""
    seen = []  # type: List[bool]  # True for each answer; noted before the line is printed, because the user may interrupt after it
    with opened(options, console, local_for(options, options.to), options.from_) as phone:
        try:
            while len(seen) < options.count and not console.broken.is_set():
                if seen:
                    console.broken.wait(options.interval)
                _ask(options, console, phone, seen)
        except Interrupted:
            if not seen:
                raise
        console.line("%d of %d answered" % (sum(seen), len(seen)))
    if not any(seen):
        raise TimeoutError("%s is not there" % options.to)
    return OK


def _ask(options, console, phone, seen):
    # type: (argparse.Namespace, Console, Endpoint, List[bool]) -> None
    started = monotonic()
    try:
        response = phone.options(
            options.to, options.header, timeout=options.timeout
        )  # type: Union[Response, ResponseError]
    except ResponseError as error:
        response = error
    except TimeoutError:
        seen.append(False)
        console.event("no answer in %g s" % options.timeout)
        return
    except PeerUnreachable as error:
        seen.append(False)
        console.event("not reached: %s" % error.reason)
        return
    seen.append(response.status not in watch.ABSENT)
    console.event("%d %s, %.1f ms" % (response.status, response.reason, 1000 * (monotonic() - started)))


# -- ladder ------------------------------------------------------------------------------------------------


def ladder(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Draw the messages in a file as a ladder diagram."""
    if options.file == "-":
        rows = diagram_input.read_stream(io.BytesIO(standard_input()), "standard input")
    else:
        rows = diagram_input.read(options.file)
    parties = _named(_ladder.make_columns(rows), dict(options.party))
    if options.svg is None:
        console.lines(printable(line) for line in _ladder.draw_arrows(rows, parties, options.width).split("\n"))
        return OK
    try:
        with io.open(options.svg, "w", encoding="utf-8") as output:
            output.write(svg.render(rows, parties))
    except (IOError, OSError) as error:
        raise InputError("cannot write %s: %s" % (options.svg, error.strerror))
    console.line("%d messages drawn in %s" % (len(rows), options.svg))
    return OK


def _named(columns, names):
    # type: (List[Tuple[str, str]], Dict[str, str]) -> List[Tuple[str, str]]
    """The columns in their order, with the names that the user gave for some."""
    unknown = set(names).difference(address for address, _ in columns)
    if unknown:
        raise InputError(
            "nobody at %s: there are %s" % (min(unknown), ", ".join(address for address, _ in columns))
        )
    return [(address, names.get(address, "")) for address, _ in columns]


def standard_input():
    # type: () -> bytes
    """The octets on standard input, to its end."""
    stream = getattr(sys.stdin, "buffer", sys.stdin)  # type: Any
    octets = stream.read()  # type: bytes
    return octets

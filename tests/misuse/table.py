"""For each public function: arguments that it takes, and for each of its parameters values that are none.

test_complete.py sees to it that no function and no parameter is missing.
"""

from __future__ import absolute_import, division, print_function

import sipbridge
from misuse import values
from misuse.access_table import ACCESS
from misuse.descriptions import DESCRIPTIONS
from misuse.objects import TO
from misuse.values import ANY, FLAG, entry, optional, whole
from misuse.watching_table import WATCHING
from sipbridge import (
    health,
    hep,
    identity,
    ladder,
    logs,
    message_summary,
    metrics,
    negotiation,
    payload,
    record,
    sdp,
    shield,
    svg,
    uri,
)
from sipbridge._command import diagram_input

#: Modules whose public names are for users, besides what ``sipbridge`` itself has.
MODULES = (
    diagram_input, health, hep, identity, ladder, logs, message_summary, metrics, negotiation, payload, record, sdp,
    shield, svg, uri,
)  # fmt: skip

#: Classes whose objects the package makes. Their constructors are nobody else's.
MADE_BY_THE_PACKAGE = frozenset(
    "Account AuthenticationError Bridge Call CallHungUp EngineError EngineLost NotSupportedError Notifier"
    " PeerUnreachable"
    " Publication Registration ResponseError Session Subscription Transfer Watch".split()
)

#: What is between modules of the package, and public in name only: given what the package itself has checked.
INTERNAL = frozenset(
    "diagram_input.label diagram_input.arrows diagram_input.read_stream"
    " metrics.require Collector.describe Collector.collect"
    " identity.asserted_identities identity.privacy"
    " hep.packet hep.check_server hep.check_key CaptureAgent.begin"
    " record.is_capture record.require Recorder.begin Recorder.__call__"
    " FlightRecorder.begin FlightRecorder.settle"
    " shield.restart_with shield.main shield.report_file shield.read_counters"
    " sdp.check_direction sdp.check_port sdp.check_line sdp.check_kind"
    " uri.check_uri uri.check_address uri.check_host_port uri.address_uri uri.is_wildcard uri.warn_of_wildcard"
    " ladder.make_columns payload.check_line EcsFormatter.format_to_ecs"
    " BufferedHandler.emit BufferedHandler.handle"
    " Authenticator.wants Authenticator.challenge Authenticator.examine Authenticator.judge"
    " BanList.covers BanList.failed"
    " SourceLimits.refusal SourceLimits.give_back SourceLimits.begin SourceLimits.end".split()
)

#: The methods of a Worker and of its kind are the contract's, and the endpoint's to call, as are those of an Observer.
INTERNAL_CLASSES = frozenset(["Container", "Observer", "Sidecar", "Worker"])

_HEADERS = values.PAIRS
_SDP = optional(values.OCTETS)
_LINE = values.LINE
_ROUTES = dict(from_=values.ADDRESS, route=values.NO_NAME_ADDR)
_CONTENT = dict(body=_SDP, content_type=_LINE, headers=_HEADERS)
_INVITE = dict(
    _ROUTES,
    to=values.ADDRESS,
    sdp=_SDP,
    headers=_HEADERS,
    content_type=_LINE,
    follow_redirects=whole(0, 70),
    session_expires=optional(whole(90, 2**31 - 1)),
    asserted_identity=optional(values.ADDRESS),
    privacy=[5, [5], u"a b", u"id\r\n", b"\xff"],
    call_id=values.LINE + [u"a b", u"a@", u"@b", u"a@b@c", u"a,b", u"x" * 256, u"h\xe4"],
)
_OUTSIDE = dict(_ROUTES, to=values.ADDRESS, headers=_HEADERS, timeout=values.TIMEOUT)
_BRIDGE = dict(_ROUTES, first=values.THING, second=values.ADDRESS + [None], headers=_HEADERS)
_CLICK = dict(
    first=values.ADDRESS + [None],
    second=values.ADDRESS + [None],
    flow=[5, None, u"II", b"\xffIV", [u"IV"]],
    offer=_SDP,
    headers=_HEADERS,
    first_from=values.ADDRESS,
    second_from=values.ADDRESS,
    route=values.NO_NAME_ADDR,
)
_STATUS = {name: whole(*bounds) for name, bounds in dict(ring=(101, 199), reject=(400, 699)).items()}
_WAIT = dict(timeout=values.TIMEOUT)
_CAPTURE_SERVER = values.LINE + [u"homer", u"127.0.0.1:9060", u"tcp://127.0.0.1", u"udp://a b", u"udp://a:99999", None]
_EXPIRES = whole(1, 2**31 - 1)
_EVENT = _LINE + [u"pre sence", u";id=1"]
_NOT_THE_USERS = [[(name, u"x")] for name in (u"Event", u"o", u"Expires", u"Subscription-State", u"SIP-If-Match")]


#: ``Class.method`` or ``module.function``: arguments that are fine, and parameter to values that are not.
TABLE = {
    # -- the endpoint --------------------------------------------------------------------------------------
    "Endpoint.__init__": entry(
        dict(address=u"tcp://127.0.0.1:0"),
        address=values.LINE + [u"127.0.0.1:5060", u"udp://127.0.0.1:66000", u"sctp://127.0.0.1", u"udp://a b", None],
        identity=optional(values.ADDRESS),
        engine=[5, values.OBJECT, u"pjsip"],
        outbound_proxy=optional(values.NO_NAME_ADDR) + [[], [None], [u"sip:a@b", u"bob"]],
        user_agent=_LINE,
        advertised=_LINE + [u"a b", u"127.0.0.1:99999"],
        trace=optional(values.CALLABLE),
        record=values.PATH,
        hep=optional(_CAPTURE_SERVER),
        flight=[5, u"folder", object()],
        tls=values.OPTIONAL_THING,
        session_expires=optional(whole(90, 2**31 - 1)),
        keepalive=optional(whole(1, 86400)),
        resolv_conf=values.PATH + [u"/nowhere/resolv.conf"],
        on_error=optional(values.CALLABLE),
        handlers=whole(1, 10000),
        trusted_proxies=[5, u"192.0.2.1", None, [5], [u"192.0.2.1/33"], [u"proxy.example.com"]],
        source_header=values.TOKEN,
        allow=[5, u"192.0.2.1", [5], [u"192.0.2.1/33"], [u"192.0.2.7/24"], [u"phone.example.com"]],
        authenticator=values.OPTIONAL_THING,
        limits=values.OPTIONAL_THING,
        bans=values.OPTIONAL_THING,
    ),
    "Endpoint.close": entry({}, timeout=values.SECONDS),
    "Endpoint.drain": entry(
        dict(timeout=0.0), timeout=values.SECONDS, redirect=optional(values.ADDRESS), retry_after=whole(0, 2**31 - 1)
    ),
    "Endpoint.health": entry(dict(timeout=0.0), timeout=values.SECONDS),
    "Endpoint.wait_closed": entry(dict(timeout=0.0), timeout=values.TIMEOUT),
    "Endpoint.on": entry(
        dict(kind=sipbridge.IncomingCall, handler=len),
        kind=values.THING + [sipbridge.Call, int],
        handler=optional(values.CALLABLE),
    ),
    "Endpoint.observe": entry(dict(observer=sipbridge.Observer()), observer=values.THING),
    "Endpoint.serve": entry(dict(handler=len), handler=values.CALLABLE),
    "Endpoint.off": entry(dict(kind=sipbridge.IncomingCall, handler=len), kind=ANY, handler=ANY),
    "Endpoint.events": entry({}, timeout=values.TIMEOUT),
    "Endpoint.add_credentials": entry(
        dict(user=u"alice", password=u"secret"),
        user=values.QUOTED + [None],
        password=_LINE + [None],
        realm=values.QUOTED,
    ),
    "Endpoint.register": entry(
        dict(registrar=TO),
        registrar=values.NO_NAME_ADDR + [None],
        aor=values.ADDRESS,
        contact=values.NO_NAME_ADDR,
        expires=_EXPIRES,
        timeout=values.TIMEOUT,
        keep=FLAG,
    ),
    "Endpoint.bindings": entry(
        dict(registrar=TO), registrar=values.NO_NAME_ADDR + [None], aor=values.ADDRESS, timeout=values.TIMEOUT
    ),
    "Endpoint.unregister_all": entry(
        dict(registrar=TO), registrar=values.NO_NAME_ADDR + [None], aor=values.ADDRESS, timeout=values.TIMEOUT
    ),
    "Endpoint.add_account": entry(
        dict(address=u"sip:dave@127.0.0.1", password=u"secret"),
        address=values.ADDRESS + [None],
        user=values.QUOTED,
        password=_LINE,
        realm=values.QUOTED,
        registrar=values.NO_NAME_ADDR,
        route=values.NO_NAME_ADDR + [[], [None], [u"sip:a@b", u"bob"]],
    ),
    "Endpoint.remove_account": entry({}, account=values.THING),
    "Endpoint.account_of": entry({}, event=values.THING),
    "Endpoint.invite": entry(dict(to=TO, sdp=b"v=0"), **_INVITE),
    "Endpoint.call": entry(dict(to=TO, sdp=b"v=0"), timeout=values.TIMEOUT, **_INVITE),
    "Endpoint.request": entry(
        dict(method=u"FROB", to=TO, body=b"x", content_type=u"text/plain"),
        method=values.TOKEN + [None, u"INVITE", u"REGISTER", u"ACK"],  # which have functions of their own
        body=_SDP + [b"x" * 65536],
        content_type=_LINE + [None],
        **_OUTSIDE
    ),
    "Endpoint.message": entry(
        dict(to=TO, body=b"x"),
        body=[5, values.OBJECT, None, b"x" * 1300],
        content_type=_LINE + [None],
        large=FLAG,
        **_OUTSIDE
    ),
    "Endpoint.options": entry(dict(to=TO), **_OUTSIDE),
    "Endpoint.watch": entry(dict(uri=TO), uri=values.ADDRESS + [None], interval=values.INTERVAL),
    "Endpoint.subscribe": entry(
        dict(to=TO, event=u"presence", body=b"x", content_type=u"text/plain"),
        event=_EVENT + [None],
        expires=whole(0, 2**31 - 1),
        accept=[5, [5], u"a\r\nb", b"\xff", [u"a\r\nb"], values.OBJECT],
        body=_SDP,
        content_type=_LINE + [None],
        resubscribe=FLAG,
        **dict(_OUTSIDE, headers=_HEADERS + _NOT_THE_USERS)
    ),
    "Endpoint.publish": entry(
        dict(to=TO, event=u"presence", body=b"x", content_type=u"text/plain"),
        event=_EVENT + [None],
        body=values.OCTETS + [None],
        content_type=_LINE + [None],
        expires=_EXPIRES,
        **dict(_OUTSIDE, headers=_HEADERS + _NOT_THE_USERS)
    ),
    "Endpoint.begin_bridge": entry(dict(first=u"no call", second=TO), **_BRIDGE),  # ``first`` is looked at last
    "Endpoint.bridge": entry(dict(first=u"no call", second=TO), timeout=values.TIMEOUT, **_BRIDGE),
    "Endpoint.begin_click_to_call": entry(dict(first=TO, second=TO), **_CLICK),
    "Endpoint.click_to_call": entry(dict(first=TO, second=TO), timeout=values.TIMEOUT, **_CLICK),
    # -- endpoints in memory -------------------------------------------------------------------------------
    "Network.engine": entry({}, identity=optional(values.ADDRESS)),
    "Network.endpoint": entry({}, identity=optional(values.ADDRESS), options=ANY),
    "Network.advance": entry({}, seconds=values.SECONDS),
    "Network.lose": entry({}, endpoint=values.THING, restart=FLAG),
    # -- accounts ------------------------------------------------------------------------------------------
    "Account.register": entry(
        {}, expires=_EXPIRES, timeout=values.TIMEOUT, keep=FLAG, contact=values.NO_NAME_ADDR
    ),
    "Account.invite": entry(dict(to=TO), to=values.ADDRESS, args=ANY, options=ANY),
    "Account.call": entry(dict(to=TO), to=values.ADDRESS, args=ANY, options=ANY),
    "Account.message": entry(dict(to=TO, body=b"x"), to=values.ADDRESS, args=ANY, options=ANY),
    "Account.request": entry(
        dict(method=u"FROB", to=TO), method=values.TOKEN, to=values.ADDRESS, args=ANY, options=ANY
    ),
    "Account.options": entry(dict(to=TO), to=values.ADDRESS, args=ANY, options=ANY),
    "Account.subscribe": entry(
        dict(to=TO, event=u"presence"), to=values.ADDRESS, event=_EVENT + [None], args=ANY, options=ANY
    ),
    "Account.publish": entry(
        dict(to=TO, event=u"presence", body=b"x", content_type=u"text/plain"),
        to=values.ADDRESS,
        event=_EVENT + [None],
        body=values.OCTETS + [None],
        content_type=_LINE + [None],
        args=ANY,
        options=ANY,
    ),
    "Account.is_named_by": entry({}, uri=ANY),  # of anything it says whether
    # -- calls ---------------------------------------------------------------------------------------------
    "Call.ring": entry({}, status=_STATUS["ring"], sdp=_SDP, headers=_HEADERS, reliable=FLAG),
    "Call.answer": entry(dict(sdp=b"v=0"), sdp=_SDP, headers=_HEADERS),
    "Call.reject": entry(
        {}, status=_STATUS["reject"], reason=_LINE, headers=_HEADERS, why=values.OPTIONAL_THING
    ),
    "Call.redirect": entry(dict(contact=TO), contact=values.ADDRESS + [None], status=whole(300, 399)),
    "Call.ack": entry(dict(sdp=b"v=0"), sdp=_SDP, headers=_HEADERS),
    "Call.hangup": entry({}, headers=_HEADERS, why=values.OPTIONAL_THING),
    "Call.wait_answered": entry({}, **_WAIT),
    "Call.wait_established": entry({}, **_WAIT),
    "Call.wait_ended": entry({}, **_WAIT),
    "Call.request": entry(
        dict(method=u"FROB", body=b"x", content_type=u"text/plain"),
        method=values.TOKEN + [None, u"INVITE", u"BYE", u"CANCEL"],
        timeout=values.TIMEOUT,
        **_CONTENT
    ),
    "Call.info": entry(dict(body=b"x", content_type=u"text/plain"), timeout=values.TIMEOUT, **_CONTENT),
    "Call.send_dtmf": entry(
        dict(keys=u"1"),
        keys=_LINE + [None, u"E", u"1 2", u"+"],
        duration_ms=whole(1),
        timeout=values.TIMEOUT,
        content_type=_LINE + [None, u"text/plain"],
    ),
    "Call.on": entry(
        dict(kind=sipbridge.CallEnded, handler=len),
        kind=values.THING + [sipbridge.Call, sipbridge.EngineFailed, int],
        handler=optional(values.CALLABLE),
    ),
    "Call.off": entry(dict(kind=sipbridge.CallEnded, handler=len), kind=ANY, handler=ANY),
    "Call.events": entry({}, timeout=values.TIMEOUT),
    "Call.keys": entry({}, timeout=values.TIMEOUT),
    "Call.collect": entry(
        dict(count=1),
        count=optional(whole(1)),
        terminator=_LINE + [u"E", u"1 2"],
        timeout=values.TIMEOUT,
    ),
    "Call.put_key": entry(dict(key=u"1"), key=_LINE + [None, u"E", u"12", u"+"]),
    "Call.reinvite": entry(
        dict(sdp=b"v=0"), sdp=_SDP, headers=_HEADERS, timeout=values.TIMEOUT, glare_retries=whole(0)
    ),
    "Call.update": entry(dict(sdp=b"v=0"), sdp=_SDP, headers=_HEADERS, timeout=values.TIMEOUT),
    "Call.hold": entry({}, **_WAIT),
    "Call.resume": entry({}, **_WAIT),
    "Call.begin_transfer": entry(
        dict(to=TO), to=values.ADDRESS + [None], headers=_HEADERS, timeout=values.TIMEOUT
    ),
    "Call.transfer": entry(dict(to=TO), to=values.ADDRESS + [None], headers=_HEADERS, timeout=values.TIMEOUT),
    "Call.transfer_to": entry({}, other=values.THING, headers=ANY, timeout=ANY),  # as those of transfer()
    "Transfer.wait_ended": entry({}, **_WAIT),
    "Bridge.wait_connected": entry({}, **_WAIT),
    "Bridge.wait_ended": entry({}, **_WAIT),
    "Bridge.hangup": entry({}, headers=_HEADERS, why=values.OPTIONAL_THING),
    # -- registrations, subscriptions, publications ----------------------------------------------------------
    "Registration.refresh": entry({}, expires=optional(_EXPIRES), **_WAIT),
    "Registration.unregister": entry({}, **_WAIT),
    "Subscription.refresh": entry({}, expires=optional(_EXPIRES), **_WAIT),
    "Subscription.unsubscribe": entry({}, **_WAIT),
    "Publication.refresh": entry({}, expires=optional(_EXPIRES), **_WAIT),
    "Publication.modify": entry(
        dict(body=b"x"),
        body=values.OCTETS,
        content_type=_LINE,
        headers=_HEADERS,
        timeout=values.TIMEOUT,
    ),
    "Publication.remove": entry({}, **_WAIT),
    "Notifier.accept": entry({}, expires=optional(whole(0, 60)), status=whole(200, 299)),
    "Notifier.reject": entry({}, status=whole(300, 699), reason=_LINE),
    "Notifier.notify": entry(
        dict(body=b"x", content_type=u"text/plain"),
        state=values.TOKEN + [None, u"terminated", u"Terminated"],
        **_CONTENT
    ),
    "Notifier.terminate": entry(
        dict(body=b"x", content_type=u"text/plain"),
        reason=values.TOKEN + [None],
        retry_after=optional(whole(0, 2**31 - 1)),
        **_CONTENT
    ),
    # -- events --------------------------------------------------------------------------------------------
    "IncomingCall.defer": entry({}, seconds=values.SECONDS),
    "RequestReceived.defer": entry({}, seconds=values.SECONDS),
    "CallReinvited.defer": entry({}, seconds=values.SECONDS),
    "SubscriptionRequested.defer": entry({}, seconds=values.SECONDS),
    "RequestReceived.answer": entry(
        dict(body=b"x", content_type=u"text/plain"), status=whole(200, 699), reason=_LINE, **_CONTENT
    ),
    "TransferRequested.accept": entry({}, sdp=_SDP, headers=_HEADERS, **_ROUTES),
    "TransferRequested.reject": entry({}, status=whole(300, 699), reason=_LINE),
    "CallReinvited.answer": entry({}, sdp=_SDP, headers=_HEADERS),
    "CallReinvited.reject": entry({}, status=whole(300, 699), reason=_LINE, headers=_HEADERS),
    "SubscriptionRequested.accept": entry({}, expires=optional(whole(0, 60)), status=whole(200, 299)),
    "SubscriptionRequested.reject": entry({}, status=whole(300, 699), reason=_LINE),
    # -- what is made by hand --------------------------------------------------------------------------------
    "Headers.__init__": entry({}, fields=[5, values.OBJECT, [5], [u"ab"], [(u"Subject",)]]),
    "Headers.get": entry({}, name=values.TEXT + [None], default=ANY),
    "Headers.get_all": entry({}, name=values.TEXT + [None]),
    "Reason.__new__": entry(
        dict(protocol=u"SIP"), protocol=values.TOKEN + [None], cause=optional(whole(0)), text=values.TEXT + [u"a\r\nb"]
    ),
    "Tls.__new__": entry(
        {},
        certificate=values.PATH + [u"/nowhere/at.all"],
        private_key=values.PATH + [u"/nowhere/at.all"],
        ca_file=values.PATH + [u"/nowhere/at.all"],
        verify=[5, u"all", None, [u"server"]],
    ),
    "Worker.__init__": entry(
        {},
        engine=[5, values.OBJECT],
        hang_timeout=values.SECONDS + [0],
        max_restarts=optional(whole(0)),
        backoff=values.SECONDS,
        crash_folder=values.PATH + [u"/dev/null/x"],
        python=values.PATH,
    ),
    "Sidecar.__init__": entry(
        dict(address=u"unix:///run/engine.sock"),
        address=[5, None, u"", u"/run/engine.sock", u"unix://run", u"unix:///a\0b", u"unix:///" + u"x" * 107],
        hang_timeout=values.SECONDS + [0, 1.4],
        max_restarts=optional(whole(0)),
        backoff=values.SECONDS,
        connect_timeout=values.SECONDS,
    ),
    "CaptureAgent.__init__": entry(
        dict(server=u"udp://127.0.0.1:9060"),
        server=_CAPTURE_SERVER,
        capture_id=whole(0, 2**32 - 1),
        key=optional(values.LINE) + [u"\xe4" * 128],
    ),
    "Recorder.__init__": entry(dict(path=u"unused.pcap"), path=values.PATH + [None], credentials=FLAG),
    # -- bodies and values -----------------------------------------------------------------------------------
    "message_summary.parse_message_summary": entry({}, body=values.OCTETS + [None, b"", b"\xff\x00"]),
    "message_summary.build_message_summary": entry(
        dict(new=1),
        new=whole(0),
        old=whole(0),
        urgent_new=whole(0),
        urgent_old=whole(0),
        account=optional(values.NO_NAME_ADDR),
    ),
    "identity.identity_headers": entry(
        {},
        asserted=optional(values.ADDRESS),
        preferred=optional(values.ADDRESS),
        privacy=[5, [5], u"a b", u"id\r\n", b"\xff"],
    ),
    "uri.parse_uri": entry({}, text=values.URI + [None]),
    "uri.parse_address": entry({}, text=values.URI + [None, u"<sip:a@b"]),
    "uri.parse_transport_address": entry({}, text=_LINE + [None, u"127.0.0.1", u"x://127.0.0.1"]),
    "uri.parse_host_port": entry({}, text=_LINE + [None, u"a b", u"127.0.0.1:99999"]),
    # -- traces ------------------------------------------------------------------------------------------------
    "diagram_input.read": entry({}, path=values.PATH + [None, u"/nowhere/at.all", u"/dev/null"]),
    "diagram_input.from_text": entry({}, text=[5, values.OBJECT, None]),
    "record.read": entry({}, stream=values.THING),
    "ladder.label": entry({}, data=values.OCTETS, brief=FLAG),
    "ladder.draw": entry(
        dict(messages=[], local=u"127.0.0.1:5060"),
        messages=values.SEQUENCE,
        local=values.TEXT,
        parties=[5, u"a", [5], [(u"a", 5)]],
        width=optional(whole(1)),
        times=FLAG,
    ),
    "ladder.draw_arrows": entry(
        dict(rows=[]),
        rows=values.SEQUENCE,
        parties=[5, u"a", [5], [(u"a", 5)]],
        width=optional(whole(1)),
        times=FLAG,
    ),
    "ladder.arrows": entry(dict(messages=[], local=u"a"), messages=values.SEQUENCE, local=values.TEXT),
    "svg.render": entry(dict(rows=[]), rows=values.SEQUENCE, parties=[5, u"a", [5], [(u"a", 5)]]),
    # -- probes and scrapes ------------------------------------------------------------------------------------
    "health.serve": entry(
        dict(port=0, endpoint=values.OBJECT),
        endpoint=values.THING, port=whole(0, 65535), host=_LINE + [None], timeout=values.SECONDS,
    ),
    "metrics.serve": entry(
        dict(port=0, endpoint=values.OBJECT),
        endpoint=values.THING, port=whole(0, 65535), host=_LINE + [None], name=optional(values.TEXT),
    ),
    "metrics.register": entry(
        dict(endpoint=values.OBJECT), endpoint=values.THING, name=optional(values.TEXT), registry=optional(values.THING)
    ),
    "Collector.__init__": entry(dict(endpoint=values.OBJECT), endpoint=values.THING, name=optional(values.TEXT)),
    "Collector.add": entry(dict(endpoint=values.OBJECT), endpoint=values.THING, name=optional(values.TEXT)),
    "Collector.remove": entry({}, name=values.TEXT + [None, u"nobody"]),
    # -- the shield --------------------------------------------------------------------------------------------
    "shield.set_limit": entry(
        dict(method=u"INVITE", rate=5),
        method=[5, None, u"BYE", [u"INVITE"]],
        rate=values.TIMEOUT,
        burst=values.TIMEOUT + [0, 0.5],
    ),
    "shield.check": entry({}, octets=values.OCTETS + [None]),
}
TABLE.update(ACCESS)
TABLE.update(WATCHING)

TABLE.update(DESCRIPTIONS)

#: How else a message may speak of a parameter.
ALSO_CALLED = {
    "sdp": ("body",),
    "headers": ("header",),
    "body": ("a body", "octets", "message-summary"),
    "uri": ("URI",),
    "method": ("INVITE", "REGISTER", "ACK", "BYE", "CANCEL"),
    "kind": ("event type",),
    "from_": ("from",),
    "text": ("URI", "address", "event", "rtpmap", "host and port", "port", "transport"),
    "value": ("rtpmap",),
    "data": ("session description", "parse"),
    "path": ("read", "SIP message in"),
    "address": ("port", "transport"),
    "username": ("user name",),
    "parameters": ("format parameters",),
    "asserted": ("asserted_identity",),
    "preferred": ("preferred_identity",),
    "events": ("telephone event",),
    "stream": ("capture",),
}

if hasattr(sipbridge, "Container"):  # Python 3
    TABLE["Container.__init__"] = entry(
        {},
        image=[5, None, u"", u"a b", u"-x", b"\xff"],
        engine=[5, values.OBJECT],
        network=[5, None, u"", u"a b"],
        build=[5, u"yes", None],
        pull=[5, u"yes", None],
        hang_timeout=values.SECONDS + [0],
        max_restarts=optional(whole(0)),
        backoff=values.SECONDS,
        crash_folder=values.PATH + [u"/dev/null/x"],
        memory=[5, None, u"", u"512", u"0m", u"1x"],
        pids=whole(16, 2**22),
    )

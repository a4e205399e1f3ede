"""Requests that are no calls, sent by sipp: MESSAGE outside, INFO within."""

from common import HERE, Caller, bare, engines, facade, note

MESSAGES = 10000
CALLS, INFOS = 200, 50  # calls, and requests in each
PARALLEL = 20

_HEAD = """\
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]-[call_number]
      %(to)s
      Call-ID: [call_id]
      CSeq: %(cseq)d %(method)s
      Max-Forwards: 70
"""

_REQUEST = (
    """\
  <send retrans="500">
    <![CDATA[
      %(method)s %(uri)s SIP/2.0
"""
    + _HEAD
    + """\
      Content-Type: %(type)s
      Content-Length: [len]

      %(body)s
    ]]>
  </send>
  <recv response="200"/>
"""
)


def _message():
    target = "sip:bench@[remote_ip]:[remote_port]"
    fields = {"method": "MESSAGE", "uri": target, "to": "To: <%s>" % target, "cseq": 1}
    request = _REQUEST % dict(fields, type="text/plain", body="lunch at noon?")
    return '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="message">\n%s</scenario>\n' % request


def _infos():
    """caller.xml with requests in the place of its pause."""
    begin, end = (HERE / "caller.xml").read_text().split("  <pause/>\n")
    fields = {"method": "INFO", "uri": "[next_url]", "to": "[last_To:]", "type": "application/dtmf-relay"}
    infos = [_REQUEST % dict(fields, cseq=number + 2, body="Signal=5") for number in range(INFOS)]
    return begin + "".join(infos) + end.replace("CSeq: 2 BYE", "CSeq: %d BYE" % (INFOS + 2))


def _measured(answerer, what, scenario, calls, requests):
    note("%s: %d %s" % (answerer.name, calls * requests, what))
    cpu = answerer.cpu_seconds()
    succeeded, failed, seconds, again = Caller(answerer.port, calls, PARALLEL, scenario=scenario).finish()
    return {
        "name": answerer.name,
        "what": what,
        "requests_per_s": round(succeeded * requests / seconds, 1),
        "cpu_us_per_request": round((answerer.cpu_seconds() - cpu) / max(1, succeeded * requests) * 1e6, 1),
        "failed": failed,
        "retransmissions": again,
    }


def measure(arguments):
    rows = []
    for engine in engines():
        for start in (bare, facade):
            answerer = start(engine)
            try:
                rows.append(_measured(answerer, "MESSAGE", _message(), MESSAGES, 1))
                rows.append(_measured(answerer, "INFO", _infos(), CALLS, INFOS))
            finally:
                answerer.stop()
    return {"requests": rows}

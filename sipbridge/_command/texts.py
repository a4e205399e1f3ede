"""The texts of ``sipbridge --help``, but for those of each option."""

from __future__ import absolute_import, division, print_function

from sipbridge._command.console import PASSWORD_VARIABLE

EXIT_CODES = """\
exit codes:
  0    done
  1    doctor: something keeps the image from being used; replay: the endpoint did otherwise than recorded;
       compare: engines differ, or one died, or the program failed; fleet: an engine takes no calls
  2    wrong usage, input that is malformed or cannot be read, or output that cannot be written
  3    transport: the local address cannot be used, or the peer cannot be reached
  4    the peer refused, redirected, or left before all was done
  5    authentication failed: credentials are missing or wrong
  6    the peer did not answer in time
  7    no engine is built, or the engine does not offer it
  130  interrupted before it was done
"""

DESCRIPTION = """\
SIP by hand: place and take calls, register, send messages.

An endpoint address is written udp://host:port; port 0 lets the system choose, and no port is SIP's, 5060. A password is
read from the environment variable %s, or asked for; it is never an argument.
""" % (
    PASSWORD_VARIABLE
)

EXAMPLES = """\
examples:
  sipbridge listen udp://127.0.0.1:5070 --trace
  sipbridge call sip:bob@127.0.0.1:5070 --dtmf 42# --duration 5
  sipbridge message sip:bob@127.0.0.1:5070 "lunch at noon?"
  SIPBRIDGE_PASSWORD=... sipbridge register sip:example.com --user alice

"""

CALL_EXAMPLES = """\
Without --sdp the call offers one audio stream over which nothing is sent. Without --duration it stays up until
the peer hangs up or you interrupt it (Ctrl-C hangs up). --hold comes after the keys, --transfer after the hold; a
transfer that the target refuses ends with 4. A peer that hangs up, before --duration too, ends it with 0, but with
4 while there are keys to send or a transfer to see through.

examples:
  sipbridge call sip:bob@192.0.2.7
  sipbridge call sip:bob@192.0.2.7:5070 --from sip:alice@example.com --sdp offer.sdp --duration 10 --trace
  sipbridge call sip:1000@example.com --proxy "sip:192.0.2.1;lr" --user alice --timeout 20
  sipbridge call sip:bob@192.0.2.7 --hold 5 --transfer sip:carol@192.0.2.8
  sipbridge call sip:bob@192.0.2.7 --follow 3    # redirections
  sipbridge call "sip:bob@example.com;transport=tls" --ca company.pem

"""

LISTEN_EXAMPLES = """\
Calls are answered with 200 (or as --reject says), OPTIONS and MESSAGE with 200; one line is printed for each
event. SIGINT hangs up every call and ends with 0; SIGTERM first refuses new calls and lets those that are up
finish (--drain). Without --sdp a call gets one audio stream over which nothing is sent.

examples:
  sipbridge listen udp://127.0.0.1:5070
  sipbridge listen udp://0.0.0.0:5060 --advertised 192.0.2.7:5060 --ring-seconds 2 --sdp answer.sdp
  sipbridge listen udp://127.0.0.1:5070 --once          # one call, then end
  sipbridge listen udp://127.0.0.1:5070 --reject 486    # always busy
  sipbridge listen tls://0.0.0.0:5061 --certificate server.pem
  sipbridge listen udp://0.0.0.0:5060 --allow 192.0.2.0/24 --allow 2001:db8::/32
  sipbridge listen udp://0.0.0.0:5060 --health 8060 --metrics 9160

"""

REGISTER_EXAMPLES = """\
The registration is refreshed before it runs out, and removed at the end.

examples:
  sipbridge register sip:example.com --user alice
  sipbridge register sip:192.0.2.1:5060 --aor sip:alice@example.com --user alice --expires 600
  sipbridge register sip:example.com --user alice --once   # to see whether the password is right
  sipbridge register sip:example.com --user alice --list   # where alice is to be reached

"""

SUBSCRIBE_EXAMPLES = """\
Each NOTIFY is printed with its body. The subscription is refreshed before it runs out, made again when it is lost,
and ended at the end.

examples:
  sipbridge subscribe sip:bob@192.0.2.7 presence
  sipbridge subscribe sip:1000@example.com message-summary --user 1000 --from sip:1000@example.com
  sipbridge subscribe sip:1000@example.com dialog --accept application/dialog-info+xml --expires 600
  sipbridge subscribe sip:bob@192.0.2.7 presence --once    # the state as it is now

"""

PUBLISH_EXAMPLES = """\
The publication is refreshed before it runs out, and taken back at the end.

examples:
  sipbridge publish sip:alice@example.com presence open.xml --user alice --from sip:alice@example.com
  sipbridge publish sip:alice@example.com dialog busy.xml --content-type application/dialog-info+xml
  sipbridge publish sip:alice@example.com presence open.xml --once

"""

MESSAGE_EXAMPLES = """\
examples:
  sipbridge message sip:bob@192.0.2.7 "lunch at noon?"
  date | sipbridge message sip:bob@192.0.2.7 - --from sip:clock@example.com

"""

PING_EXAMPLES = """\
Any response counts but 408, 502, 503 and 504, with which a proxy says that nobody is there. Ends with 6 when there
was none.

examples:
  sipbridge ping sip:192.0.2.7
  sipbridge ping "sip:example.com;transport=tls" --count 10 --interval 0.5 --timeout 2

"""

DOCTOR_EXAMPLES = """\
Looks at the container client and its daemon, amd64 emulation, the kernel's vsyscall page, the image, the UDP
port and the engines of this Python, and says what to do about what is missing. Ends with 1 when something keeps
the image from being used. It changes nothing, and needs no engine.

examples:
  sipbridge doctor
  DOCKER=podman PORT=5080 sipbridge doctor

"""

ENGINE_EXAMPLES = """\
Listens at a UNIX socket, and gives each service that connects an engine in a process of its own, one service at a
time; engine=sipbridge.Sidecar("unix:///...") connects. When the service ends or falls silent, its calls are hung up
and its registrations removed. When the engine dies, the service connects again and gets another. SIGTERM ends all.
docs/places.md has examples for compose, Kubernetes and systemd, which may hand over the socket.

examples:
  sipbridge engine unix:///run/sipbridge/engine.sock --allow-uid telephony --socket-group telephony
  sipbridge engine unix:///run/sipbridge/engine.sock --check    # for health checks: 0, or 3

"""

FLEET_EXAMPLES = """\
Starts N copies of a program under supervisord, each at a port of its own, 10 above the last one's: what lies between
is for copies under a debugger, and for TLS. What follows -- is the program, with {address}, {port}, {index},
{http_port} and {data} for the values of its copy; each copy also has them in its environment, as SIP_ADDRESS, PORT,
HTTP_PORT and DATA. What dies is started again. In --folder are supervisord's configuration, the logs, a data folder for
each copy, and dispatcher.list, the list of engines for Kamailio (deploy/kamailio).

Once more, with other options, another number or another program, it changes the fleet that runs: new copies are
started, those that differ are restarted one by one, those that are too many end. What you do not give stays as it was.
A restart is: no new calls from Kamailio (--kamcmd), SIGTERM, the end of the program within --drain, its start, an
answer to OPTIONS, calls from Kamailio again. The program has to drain at SIGTERM: see docs/endpoints.md. A copy that
does not come back ends the command with 1, and those behind it go on as they are.

It takes supervisord: pip install sipbridge[fleet].

examples:
  sipbridge fleet 3 -- sipbridge listen {address} --drain 30
  sipbridge fleet 4 --address udp://192.0.2.7:5080 --kamcmd kamcmd --folder /srv/fleet -- python service.py {address}
  sipbridge fleet 2 --ready http://127.0.0.1:{http_port}/health/ready -- python -m telephony serve
  sipbridge fleet --rolling     # restart all, one by one
  sipbridge fleet 6             # two more
  sipbridge fleet --status
  sipbridge fleet --stop

"""

LADDER_EXAMPLES = """\
FILE is a capture, as --record, tcpdump and Wireshark write them (pcap or pcapng; it takes dpkt: pip install
sipbridge[pcap]), or the output of a command with --trace.

examples:
  sipbridge ladder call.pcap
  sipbridge ladder call.pcap --svg call.svg --party 192.0.2.7:5060=gateway
  sipbridge ladder trace.txt --width 100
  tcpdump -c 20 -w - udp port 5060 | sipbridge ladder -

"""

REPLAY_EXAMPLES = """\
Plays the other side of a recorded call: it sends what that side sent, when it did, and compares what the endpoint says
with what it said then. --to calls the endpoint, --listen waits until the endpoint calls. Addresses, tags, branches,
Call-ID, session addresses and answers to digest challenges ($%s) fit the new call; all else is sent as
recorded. What differs is printed as a diff, and ends with 1. It takes dpkt: pip install sipbridge[pcap].

examples:
  sipbridge replay call.pcap --list
  sipbridge replay call.pcap --to sip:127.0.0.1:5061
  sipbridge replay call.pcap --call 2 --to "sip:127.0.0.1:5061;transport=tcp" --speed 10
  sipbridge replay call.pcap --to sip:127.0.0.1:5061 --step      # you sit at a breakpoint
  sipbridge replay call.pcap --to sip:127.0.0.1:5061 --call 1 --call 2   # one after the other
  sipbridge replay call.pcap --listen udp://127.0.0.1:5070       # the endpoint calls there
  sipbridge replay call.pcap --role caller --scenario call.xml   # for sipp -sf call.xml

""" % (
    PASSWORD_VARIABLE
)

COMPARE_EXAMPLES = """\
Plays the far side of each call to an endpoint on each engine, each in a process of its own, and compares what they send
and the events that they tell. The endpoint does what the recorded one did; or it is your program, which finds its port
in $PORT, $SIP_ADDRESS or {port} or {address} in an argument (and in $PEER or {peer} whom to call, where the endpoint
called), and takes the engine that $SIPBRIDGE_ENGINE names. What differs is printed as a diff, - for the first engine
and + for the other, and ends with 1, as does an engine that dies, or a program that does not work. It ends with 2 where
nothing was compared. It takes dpkt: pip install sipbridge[pcap].

examples:
  sipbridge compare before.pcap
  sipbridge compare before.pcap --app service.py --speed 10
  sipbridge compare before.pcap --app service.py -- --listen {address}
  sipbridge compare monday.pcap tuesday.pcap --engine exosip --engine sofia --json
  sipbridge compare before.pcap --call 3 --ignore Contact --all
  sipbridge compare before.pcap --engine sofia --engine sofia    # what differs from run to run

"""

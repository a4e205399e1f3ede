"""One recorded call with one engine: the far side of the capture is played to an endpoint in a process of its own."""

from __future__ import absolute_import, division, print_function

from sipbridge._command.compare_process import HOST, Party
from sipbridge._compat import NamedTuple, to_text
from sipbridge._engine.free_port import free_port
from sipbridge._replay import stage
from sipbridge._replay.contrast import PLAYED, Run
from sipbridge._replay.part import part_of
from sipbridge._replay.player import Pace
from sipbridge.errors import EngineError, NotSupportedError, TimeoutError, TransportError, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable, List, Optional, Tuple

    from sipbridge._command.compare_process import Contender
    from sipbridge._replay.dialogue import Dialogue
    from sipbridge._replay.fitting import Settings
    from sipbridge._replay.player import Player


class Way(NamedTuple("Way", [
    ("settings", "Settings"), ("speed", "float"), ("timeout", "float"), ("program", "List[str]"),
])):
    """How to play: settings of the far side, speed and seconds as in a replay, and a program of the user's, or []."""

    __slots__ = ()


class Performance(object):
    """One call: the far side is played once to an endpoint of the contender's."""

    def __init__(self, contender, dialogue, way):
        # type: (Contender, Dialogue, Way) -> None
        self._contender = contender
        self._dialogue = dialogue
        self._way = way
        self._party = None  # type: Optional[Party]
        self._player = None  # type: Optional[Player]
        self._is_left = False

    def leave(self):
        # type: () -> None
        """Kill the process of the endpoint, if it has not ended, and any that is started from now on."""
        self._is_left = True
        if self._party is not None:
            self._party.kill()

    def run(self):
        # type: () -> Run
        """Play. Raises InputError and NotSupportedError for what cannot be played to any."""
        try:
            outcome = self._outcome(self._play)
        except BaseException:
            if self._party is not None:
                quietly(self._party.end)
                self._party.notes()
            raise
        player, party = self._player, self._party
        events = party.events() if party else []
        if party is not None:
            ending = self._outcome(party.end)
            outcome = ending if outcome == PLAYED else outcome
        return Run(
            self._contender.name, party.version if party else u"", to_text(outcome), player.played if player else 0,
            player.heard if player else [], events, player.names() if player else [], party.notes() if party else [],
        )  # fmt: skip

    def _outcome(self, function):
        # type: (Callable[[], object]) -> str
        """PLAYED, or what went wrong with the endpoint."""
        try:
            function()
        except NotSupportedError:
            raise
        except TimeoutError:
            ended = self._party is not None and self._party.has_ended_well()
            return "nothing came from the endpoint" + (", and the program ended with code 0" if ended else "")
        except (EngineError, TransportError) as error:
            return str(error)
        return PLAYED

    def _play(self):
        # type: () -> None
        way = self._way
        pace = Pace(way.speed, way.timeout)
        to = self._open(None) if self._dialogue.role == "caller" else None
        local = "%s://%s:0" % (self._dialogue.transport, HOST)
        silent = lambda lines: None  # type: Callable[[List[str]], None]  # noqa: E731
        stage.play(
            self._dialogue, way.settings, pace, silent, to, local, begin=self._begin, look=self._look
        )  # fmt: skip
        if self._party is not None:
            self._party.settle()

    def _begin(self, player, address):
        # type: (Player, str) -> None
        self._player = player
        if self._party is None:
            self._open(self._uri(address.partition("://")[2]))

    def _uri(self, place):
        # type: (str) -> str
        transport = self._dialogue.transport
        return "sip:%s%s" % (place, "" if transport == "udp" else ";transport=" + transport)

    def _open(self, peer):
        # type: (Optional[str]) -> str
        """Start the endpoint; its URI."""
        port = free_port(HOST, self._dialogue.transport)
        address = "%s://%s:%d" % (self._dialogue.transport, HOST, port)
        variables = {"PORT": "%d" % port, "SIP_ADDRESS": address, "PEER": peer or ""}
        named = (("{port}", variables["PORT"]), ("{address}", address), ("{peer}", variables["PEER"]))
        program = self._way.program[:1] + [_filled(each, named) for each in self._way.program[1:]]
        party = self._party = Party(self._contender, program, variables)
        if self._is_left:
            party.kill()
        party.open(part_of(self._dialogue), "%s://%s:0" % (self._dialogue.transport, HOST), peer)
        return party.uri or self._uri("%s:%d" % (HOST, port))

    def _look(self):
        # type: () -> None
        if self._party is not None:
            self._party.look()


def _filled(argument, named):
    # type: (str, Iterable[Tuple[str, str]]) -> str
    for name, value in named:
        argument = argument.replace(name, value)
    return argument

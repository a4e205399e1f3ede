"""What came of asking the network about the links of the documentation: dead links, or no network."""

import json
import re
from collections import namedtuple

#: Exit codes of `make linkcheck`: make itself tells of each as an error, the text tells them apart.
ALL_WELL, DEAD, NO_NETWORK = 0, 1, 2

#: What Sphinx says where nobody was reached: no name, no way, no answer. All else came from the other end.
UNREACHED = re.compile(
    r"NameResolutionError|Failed to resolve|Name or service not known|NewConnectionError|ConnectTimeout"
    r"|Connection refused|Network is unreachable|No route to host|ProxyError|Read timed out|Connection aborted"
)


class Link(namedtuple("Link", "page line status address said")):
    """A link, and what came of it: "working", "broken", "redirected", "timeout", "ignored", "unchecked"."""

    @property
    def asked(self):
        """Whether the network was to be asked about it."""
        return self.address.startswith("http") and self.status not in ("ignored", "unchecked")

    @property
    def unreached(self):
        return self.status == "timeout" or self.status == "broken" and bool(UNREACHED.search(self.said))

    @property
    def dead(self):
        return self.status == "broken" and not self.unreached

    @property
    def host(self):
        return self.address.split("/")[2]


def read(path):
    """The links in the output.json of Sphinx's linkcheck."""
    with open(str(path), encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    links = [Link(row["filename"], row["lineno"], row["status"], row["uri"], row["info"]) for row in rows]
    return [link for link in links if link.asked]


def _named(link, said):
    return "  %s:%d: %s: %s" % (link.page, link.line, link.address, said)


def report(links):
    """An exit code, and lines for the user."""
    dead = [link for link in links if link.dead]
    unreached = [link for link in links if link.unreached]
    lines = []
    if dead:
        lines += ["DEAD LINKS, %d:" % len(dead)] + [_named(link, link.said) for link in dead]
    if unreached:
        hosts = sorted({link.host for link in unreached})
        if len(unreached) == len(links):
            lines.append(
                "THE NETWORK IS NOT THERE: nobody was reached, so this says nothing about the links:"
            )
        else:
            lines.append("NOT REACHED, so nobody knows whether these links lead anywhere:")
        lines.append("  " + " ".join(hosts))
    answered = len(links) - len(unreached)
    lines.append(
        "%d links to others: %d asked, %d dead, %d not reached"
        % (len(links), answered, len(dead), len(unreached))
    )
    return DEAD if dead else NO_NETWORK if unreached else ALL_WELL, lines

"""Draw ladder diagrams as SVG. (sipbridge.ladder draws them as text.)"""

from __future__ import absolute_import, division, print_function

from sipbridge._text.arguments import check_kind, check_sequence
from sipbridge.ladder import Arrow, make_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Iterator, List, Tuple, Union

# In pixels: the width of the margin with the times, the height of the first arrow, the distance between arrows, the
# least distance between lifelines, and the width of a character.
_LEFT, _TOP, _STEP = 90, 60, 28
_GAP, _CHARACTER = 170, 6.6

_HEAD = u"""\
<svg xmlns="http://www.w3.org/2000/svg" width="%(width)d" height="%(height)d"
  viewBox="0 0 %(width)d %(height)d" font-family="monospace" font-size="11">
<defs><marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">
  <path d="M0,0 L9,4 L0,8 z"/></marker></defs>
<rect width="100%%" height="100%%" fill="white"/>
"""
_TEXT = u'<text x="%d" y="%d" text-anchor="%s"%s>%s</text>\n'
_LIFELINE = u'<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#999" stroke-dasharray="3,3"/>\n'
_ARROW = u'<path d="%s" fill="none" stroke="%s" marker-end="url(#head)"/>\n'
_REQUEST, _PROVISIONAL, _SUCCESS, _REFUSAL = u"#1f4e9e", u"#666666", u"#1a7f37", u"#b42318"


def render(rows, parties=()):
    # type: (Iterable[Arrow], Iterable[Union[str, Tuple[str, str]]]) -> str
    """The diagram of :class:`~sipbridge.ladder.Arrow` records, in order, as the text of an SVG document.

    ``parties`` are the columns, as for :func:`sipbridge.ladder.draw_arrows`. Raises InputError.
    """
    rows = [check_kind(row, Arrow, "one of rows") for row in check_sequence(rows, "rows")]
    columns = make_columns(rows, parties)
    gap = _gap(rows, columns)
    places = dict((address, _LEFT + gap // 2 + gap * place) for place, (address, _) in enumerate(columns))
    bottom = _TOP + _STEP * len(rows)
    size = {"width": _LEFT + gap * max(1, len(columns)), "height": bottom + 20}
    parts = [_HEAD % size]
    for address, name in columns:
        parts.append(_TEXT % (places[address], 20, "middle", ' font-weight="bold"', _escaped(name)))
        parts.append(_TEXT % (places[address], 36, "middle", "", _escaped(address)))
        parts.append(_LIFELINE % (places[address], 44, places[address], bottom))
    for number, row in enumerate(rows):
        parts += _arrow(row, places, _TOP + _STEP * number, row.time - rows[0].time)
    return u"".join(parts) + u"</svg>\n"


def _gap(rows, columns):
    # type: (List[Arrow], List[Tuple[str, str]]) -> int
    """The pixels between two lifelines, so that each label fits between its lifelines."""
    order = dict((address, place) for place, (address, _) in enumerate(columns))
    needed = [_GAP] + [int(len(address) * _CHARACTER) + 20 for address, _ in columns]
    for row in rows:
        span = max(1, abs(order[row.source] - order[row.target]))
        needed.append(int((len(row.text) * _CHARACTER + 30) / span))
    return max(needed)


def _arrow(row, places, height, seconds):
    # type: (Arrow, Dict[str, int], int, float) -> Iterator[str]
    start, end = places[row.source], places[row.target]
    yield _TEXT % (_LEFT - 20, height + 4, "end", ' fill="#666"', "%.3f" % seconds)
    if start == end:
        path, middle = "M%d,%d h30 v8 h-28" % (start, height - 2), start + 36
        yield _TEXT % (middle, height + 4, "start", "", _escaped(row.text))
    else:
        path, middle = "M%d,%d H%d" % (start, height, end), (start + end) // 2
        yield _TEXT % (middle, height - 4, "middle", "", _escaped(row.text))
    yield _ARROW % (path, _color(row.text))


def _color(text):
    # type: (str) -> str
    if not text[:3].isdigit():
        return _REQUEST
    return {"1": _PROVISIONAL, "2": _SUCCESS}.get(text[:1], _REFUSAL)


#: The ampersand is first. xml.sax.saxutils would have http.client loaded for this.
_ENTITIES = ((u"&", u"&amp;"), (u"<", u"&lt;"), (u">", u"&gt;"), (u'"', u"&quot;"))


def _escaped(text):
    # type: (str) -> str
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text

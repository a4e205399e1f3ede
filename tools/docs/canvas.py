"""What the pictures of the documentation are drawn with: boxes, arrows and words, as SVG that is text."""

from xml.sax.saxutils import escape

#: Colours for a light and for a dark page: of the ground, of words, of faint ones, of lines, and of the kinds of boxes
#: (inside, edge). The ground is drawn, so a page of the other kind does not matter.
LIGHT = {
    "ground": "#ffffff",
    "word": "#1b1f24",
    "faint": "#57606a",
    "line": "#57606a",
    "yours": ("#dcf2de", "#2c7a33"),
    "python": ("#dfeafa", "#2560a8"),
    "native": ("#fcebd2", "#9a5b00"),
    "around": ("#f3f4f6", "#8a939d"),
}
DARK = {
    "ground": "#16191d",
    "word": "#e8eaed",
    "faint": "#a9b1ba",
    "line": "#a9b1ba",
    "yours": ("#1d3a22", "#6fc27a"),
    "python": ("#1b3150", "#78aef0"),
    "native": ("#443010", "#e5ae55"),
    "around": ("#22272d", "#7d8791"),
}
KINDS = ("yours", "python", "native", "around")

SIZE, LINE = 13, 18  # of words: their height, and from one line to the next, in pixels


def _rules(colours):
    rules = [".ground{fill:%(ground)s}.word{fill:%(word)s}.faint{fill:%(faint)s}" % colours]
    rules.append(".line{stroke:%(line)s;fill:none}.tip{fill:%(line)s}" % colours)
    rules += [".%s{fill:%s;stroke:%s}" % ((kind,) + colours[kind]) for kind in KINDS]
    return "".join(rules)


STYLE = "%s@media(prefers-color-scheme:dark){%s}" % (_rules(LIGHT), _rules(DARK))

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"
  font-family="Helvetica, Arial, sans-serif" font-size="{2}">
<title>{3}</title>
<style>{4}</style>
<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto-start-reverse"><path class="tip"
  d="M0,0 L9,4 L0,8 z"/></marker></defs>
<rect class="ground" width="100%" height="100%" rx="6"/>
"""


class Canvas:
    """A picture that grows by what is drawn on it. All places and sizes are in pixels."""

    def __init__(self, width, height, title):
        self._parts = [HEAD.format(width, height, SIZE, escape(title), STYLE)]

    def box(self, x, y, width, height, kind, title="", *lines):
        """A box of one of KINDS, with a title and faint lines below it, from its upper left corner."""
        place = (kind, x, y, width, height)
        self._parts.append('<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>\n' % place)
        if title:
            self.words(x + 10, y + 19, title, weight="bold")
        for number, line in enumerate(lines, 1):
            self.words(x + 10, y + 19 + LINE * number, line, "faint")

    def words(self, x, y, text, kind="word", anchor="start", weight="normal"):
        """A line of words; ``y`` is where its letters stand."""
        if not text:
            return
        place = (kind, x, y, anchor, weight, escape(text))
        self._parts.append(
            '<text class="%s" x="%d" y="%d" text-anchor="%s" font-weight="%s">%s</text>\n' % place
        )

    def line(self, *points, dashed=False):
        """A line through points, pairs of x and y."""
        self._path(points, ' stroke-dasharray="4,4"' if dashed else "")

    def arrow(self, *points, text="", both=False):
        """An arrow through points, with words above the middle of its first part."""
        self._path(points, ' marker-end="url(#tip)"')
        if both:
            self._path(points[::-1], ' marker-end="url(#tip)"')
        if text:
            (x, y), (to_x, to_y) = points[:2]
            self.words((x + to_x) // 2, (y + to_y) // 2 - 6, text, anchor="middle")

    def _path(self, points, more):
        path = "M" + " L".join("%d,%d" % point for point in points)
        self._parts.append('<path class="line" d="%s"%s/>\n' % (path, more))

    def svg(self):
        """The document, as text."""
        return "".join(self._parts) + "</svg>\n"

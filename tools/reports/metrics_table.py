"""Write the table of metrics in docs/watching.md, of what the code has.

    .venv/bin/python -m tools.reports.metrics_table [--check]

With --check it writes nothing, and fails when the table is not what it would write.
"""

import re
import sys

from sipbridge import metrics
from tools.builds.environment import ROOT

PAGE = ROOT / "docs" / "watching.md"

#: What the table stands between.
BEGIN, END = "<!-- metrics -->\n", "<!-- end of metrics -->\n"


def table():
    """The lines of the table, as text."""
    lines = ["| metric | kind | labels | |", "| --- | --- | --- | --- |"]
    for family in metrics.FAMILIES:
        labels = ", ".join("`%s`" % label for label in family.labels)
        lines.append("| `%s` | %s | %s | %s |" % (family.name, family.kind, labels, family.text.rstrip(".")))
    return "\n".join(lines) + "\n"


def page_with_table(text):
    """The text of the page with the table in its place."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    replaced, count = pattern.subn(lambda _: BEGIN + table() + END, text)
    if count != 1:
        raise SystemExit("%s has %d places for the table" % (PAGE, count))
    return replaced


def main(arguments):
    text = PAGE.read_text(encoding="utf-8")
    wanted = page_with_table(text)
    if "--check" in arguments:
        return 0 if text == wanted else "%s: run python -m tools.reports.metrics_table" % PAGE
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

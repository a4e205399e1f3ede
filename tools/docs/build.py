"""Make the documentation a site in build/docs, or ask the network about its links.

    build/venv-docs/bin/python -m tools.docs.build [docs|linkcheck]

A warning is an error: a link to a page or a heading that is not there, a page that docs/index.md leaves out. Of the
links to others linkcheck tells which are dead, and which nobody could ask about: exit codes 1 and 2.
"""

import os
import sys

from sphinx.cmd.build import main as sphinx

from tools.builds.environment import BUILD, ROOT
from tools.docs import links

BUILDERS = {"docs": "html", "linkcheck": "linkcheck"}
STRICT = ["--fail-on-warning", "--keep-going", "--fresh-env"]


def build(what, *options):
    """Have Sphinx build one thing. The exit code, and the folder."""
    output = BUILD / what
    places = ["-c", str(ROOT / "tools" / "docs"), "-d", str(BUILD / "docs-pages"), str(ROOT), str(output)]
    return sphinx(["-b", BUILDERS[what], *STRICT, *options, *places]), output


def site():
    """Make the site. The exit code."""
    code, output = build("docs", "--quiet")
    if not code:
        print("docs: %s" % (output / "index.html"))
    return code


def linkcheck():
    """Ask the network, and tell what came of it. The exit code."""
    warnings = BUILD / "linkcheck-warnings.txt"
    code, output = build("linkcheck", "-Q", "-w", str(warnings))
    told, lines = links.report(links.read(output / "output.json"))
    print("\n".join(lines))
    if code and not told:  # of the pages themselves
        print(warnings.read_text(encoding="utf-8"))
    return told or code


def main(arguments):
    what = "".join(arguments) or "docs"
    if what not in BUILDERS:
        sys.exit(__doc__)
    os.environ["COLUMNS"] = "100"  # of what the command prints as --help
    return linkcheck() if what == "linkcheck" else site()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Make the documentation a site in build/docs, or ask the network about its links.

    build/venv-docs/bin/python -m tools.docs.build [docs|linkcheck]

A warning is an error: a link to a page or a heading that is not there, a page that docs/index.md leaves out.
"""

import os
import sys

from sphinx.cmd.build import main as sphinx

from tools.builds.environment import BUILD, ROOT

BUILDERS = {"docs": "html", "linkcheck": "linkcheck"}
STRICT = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]


def main(arguments):
    what = "".join(arguments) or "docs"
    if what not in BUILDERS:
        sys.exit(__doc__)
    os.environ["COLUMNS"] = "100"  # of what the command prints as --help
    output = BUILD / what
    places = ["-c", str(ROOT / "tools" / "docs"), "-d", str(BUILD / "docs-pages"), str(ROOT), str(output)]
    code = sphinx(["-b", BUILDERS[what]] + STRICT + places)
    if not code:
        print("%s: %s" % (what, output / ("index.html" if what == "docs" else "output.txt")))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

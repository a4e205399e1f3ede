"""Facts that have to be so when a release is made. `make release-check` asks for each (tools/checks/release.py).

    python3 -m tools.checks.release_facts tree|tag|version|changelog|pythons|dist

It prints what it found; exit code 1, and the reason, when that is not so.
"""

import re
import sys

from tools.builds import interpreters
from tools.builds.environment import ROOT, Failed, run
from tools.builds.wheels import DIST

#: The first heading of CHANGELOG.md at a release, as "## 1.2.0 (2027-01-31)".
HEADING = re.compile(r"## (\S+) \((\d{4}-\d\d-\d\d)\)")

#: The wheels of a release, by the tags of their names.
WHEELS = ("py2-none-any", "py3-none-any", "cp39-abi3-manylinux")


def read(name):
    """The text of a file of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def first(pattern, name):
    """What a pattern finds first in a file of the checkout. Raises Failed."""
    found = re.search(pattern, read(name), re.MULTILINE)
    if found is None:
        raise Failed("%s has no line like %s" % (name, pattern))
    return found.group(1)


def version_of_source():
    """The version that everything else has to have."""
    return first(r'^__version__ = "(.*)"$', "sipbridge/_version.py")


def as_numbers(version):
    """What versions are compared by. Raises Failed where one is not of the form that docs/releases.md gives them."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise Failed("the version %r has not the form MAJOR.MINOR.PATCH" % version)
    return [int(part) for part in version.split(".")]


def git(*words):
    """What a git command prints. Raises Failed."""
    return run(("git",) + words, cwd=ROOT)


def tree():
    """No file differs from the commit, and none is beside it."""
    changed = git("status", "--porcelain").rstrip()
    if changed:
        raise Failed("the working tree is not clean:\n%s" % changed)
    return "clean at %s" % git("rev-parse", "--short", "HEAD").strip()


def tag():
    """The commit has the tag of its version, with a message, and no release was higher."""
    version = version_of_source()
    name = "v" + version
    tags = git("tag", "--list", "v*").split()
    here = git("tag", "--points-at", "HEAD").split()
    if name not in here:
        where = "is at another commit" if name in tags else "is not there: git tag -a %s" % name
        raise Failed("the tag %s %s" % (name, where))
    if git("cat-file", "-t", name).strip() != "tag":
        raise Failed("the tag %s has no author and no message: git tag -f -a %s" % (name, name))
    higher = [each for each in tags if as_numbers(each[1:]) > as_numbers(version)]
    if higher:
        raise Failed("%s is lower than %s" % (name, ", ".join(higher)))
    return name


def version():
    """The files that tell a version tell the same. (setup.py, the docs and the image read it from _version.py.)"""
    source = version_of_source()
    as_numbers(source)
    told = first(r"^## (?:Unreleased \()?([\d.]+)", "CHANGELOG.md")
    others = [] if told == source else ["CHANGELOG.md says %s" % told]
    protocol = first(r"^VERSION = (\d+)$", "sipbridge/_engine/protocol.py")
    page = first(r"^# The worker protocol, version (\d+)$", "docs/worker-protocol.md")
    if page != protocol:
        others.append("docs/worker-protocol.md says %s of the protocol's version %s" % (page, protocol))
    if others:
        raise Failed("sipbridge/_version.py says %s, but %s" % (source, "; ".join(others)))
    return source


def changelog():
    """The first section is this version's, with a date and entries, and no other is left as unreleased."""
    source = version_of_source()
    sections = re.split(r"(?m)^(?=## )", read("CHANGELOG.md"))[1:]
    unreleased = [text.splitlines()[0] for text in sections if "unreleased" in text.splitlines()[0].lower()]
    if unreleased:
        raise Failed("CHANGELOG.md still has '%s'; it becomes '## %s (YYYY-MM-DD)'" % (unreleased[0], source))
    heading = HEADING.match(sections[0]) if sections else None
    if heading is None or heading.group(1) != source:
        raise Failed("the first section of CHANGELOG.md is not '## %s (YYYY-MM-DD)'" % source)
    entries = re.findall(r"(?m)^- ", sections[0])
    if not entries:
        raise Failed("CHANGELOG.md says nothing of %s" % source)
    return "%s of %s, %d entries" % (heading.groups() + (len(entries),))


def pythons():
    """Each supported Python is here, with its headers, so that `make test-all` tests on it."""
    found = {each.version: each for each in interpreters.find() if each.headers}
    missing = [each for each in interpreters.SUPPORTED if each not in found]
    if missing:
        raise Failed("no Python %s with headers is here, so nothing was tested on it" % ", ".join(missing))
    return ", ".join(each.full for each in found.values())


def dist():
    """What `make wheels` has written is all of this version: the sdist and each wheel."""
    start = "sipbridge-%s" % version_of_source()
    names = sorted(path.name for path in DIST.glob("*"))
    wanted = [start + ".tar.gz"] + [start + "-" + tag for tag in WHEELS]
    missing = [each for each in wanted if not any(name.startswith(each) for name in names)]
    strange = [name for name in names if not name.startswith(tuple(wanted))]
    if missing or strange:
        raise Failed("dist/ lacks %s; it has %s" % (missing or "nothing", ", ".join(strange or names)))
    return ", ".join(names)


FACTS = {each.__name__: each for each in (tree, tag, version, changelog, pythons, dist)}


def main(arguments):
    if len(arguments) != 1 or arguments[0] not in FACTS:
        sys.exit(__doc__)
    try:
        print(FACTS[arguments[0]]())
    except Failed as error:
        sys.exit("%s: %s" % (arguments[0], error))


if __name__ == "__main__":
    main(sys.argv[1:])

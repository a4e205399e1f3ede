"""What the package says of itself, in setup.py, and what pages and messages say of it."""

import re
import sys

import pytest

from tools.builds import environment, interpreters
from tools.builds.environment import ROOT

#: An extra where it is named: sipbridge[pcap], '.[aio,pcap]', the extra `[fleet]`, extra `[logs]`.
NAMED = re.compile(r"(?:sipbridge|'\.|extra `)\[([a-z0-9,]+)\]")

#: Where users read of extras.
TEXTS = (
    "README.md",
    "CHANGELOG.md",
    "docs/**/*.md",
    "deploy/**/*.md",
    "examples/**/*.md",
    "sipbridge/**/*.py",
)


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    """The lines of PKG-INFO: pairs of name and value, and the long description."""
    folder = tmp_path_factory.mktemp("metadata")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder]
    environment.run(command, SIPBRIDGE_ENGINES="none")
    head, _, description = (
        (folder / "sipbridge.egg-info/PKG-INFO").read_text(encoding="utf-8").partition("\n\n")
    )
    return [tuple(line.split(": ", 1)) for line in head.splitlines() if ": " in line], description


def values(metadata, name):
    return [value for key, value in metadata[0] if key == name]


def test_each_extra_that_is_named_is_there_and_the_reverse(metadata):
    extras = set(values(metadata, "Provides-Extra"))
    named = {}
    for path in sorted(path for pattern in TEXTS for path in ROOT.glob(pattern)):
        for names in NAMED.findall(path.read_text(encoding="utf-8")):
            for name in names.split(","):
                named.setdefault(name, path.name)
    assert set(named) == extras, named


def test_the_pythons_are_those_that_are_tested(metadata):
    classifiers = values(metadata, "Classifier")
    listed = [each.rpartition(" ")[2] for each in classifiers if re.search(r":: \d\.\d+$", each)]
    assert listed == list(interpreters.SUPPORTED)
    (required,) = values(metadata, "Requires-Python")
    refused = {"3.%d" % number for number in range(9)}
    assert ">=2.7" in required and refused == set(re.findall(r"!=(3\.\d+)\.\*", required))


def test_who_uses_it_gets_its_types(metadata):
    assert "Typing :: Typed" in values(metadata, "Classifier")
    assert (ROOT / "sipbridge/py.typed").exists()


def test_the_description_links_to_no_file(metadata):
    """An index has none of them. That it can be rendered, twine says, in `make wheels`."""
    description = metadata[1]
    assert "# sipbridge" in description and "docs/index.md lists all pages" in description
    targets = re.findall(r"\]\(([^)]*)\)", description)
    assert [target for target in targets if not target.startswith("http")] == []

"""The pages of docs/ say what the code says. (That their links lead somewhere, `make docs` sees to.)"""

import re
import shlex

import pytest

import sipbridge
from sipbridge._command.options import build_parser
from sipbridge._command.texts import EXIT_CODES
from sipbridge._replay import habits
from sipbridge._replay.comparison import title
from tools.builds.environment import ROOT

DOCS = ROOT / "docs"
TABLES = (DOCS / "reference" / "tables.md").read_text(encoding="utf-8")


def test_the_table_of_exit_codes_is_that_of_the_command():
    section = TABLES[TABLES.index("\n## Exit codes") :]
    told = EXIT_CODES.replace("\n       ", " ")  # a line goes on
    assert re.findall(r"(?m)^\| (\d+) \| (.*) \|$", section) == re.findall(r"(?m)^  (\d+) +(.*)$", told)


def test_the_table_of_what_always_differs_is_that_of_the_comparison():
    section = (DOCS / "replay.md").read_text(encoding="utf-8").partition("\n## Compare two engines")[2]
    rows = []
    for suffix, known in (("", habits.IN_MESSAGES), (", in events", habits.IN_EVENTS)):
        for each in known:
            where = ", ".join(each.where) or "all"
            rows.append(((title(each.header) or "any list") + suffix, where, each.reason))
    assert re.findall(r"(?m)^\| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", section)[2:] == rows


def test_each_environment_variable_is_in_a_table():
    folders = ("sipbridge/**/*.py", "csrc/**/*.c", "docker/*.py", "docker/*.sh")
    sources = [path.read_text(encoding="utf-8") for folder in folders for path in ROOT.glob(folder)]
    found = {name for text in sources for name in re.findall(r"\bSIPBRIDGE_[A-Z_]+\b", text)}
    assert "SIPBRIDGE_ENGINE" in found
    assert {name for name in found if not name.endswith("_")} <= set(
        re.findall(r"`(SIPBRIDGE_[A-Z_]+)`", TABLES)
    )


def test_each_public_name_is_on_a_page_of_the_reference():
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md")]
    named = " ".join(names for page in pages for names in re.findall(r"(?s)<!-- api:(.*?)-->", page)).split()
    missing = {"sipbridge." + name for name in sipbridge.__all__ if name != "__version__"}.difference(named)
    assert not missing


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_each_page_has_its_place_in_the_navigation(page):
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert page.name == "index.md" or re.search(r"(?m)^- \[.*?\]\(%s\)" % re.escape(page.name), index)


#: What somebody who asks "how do I" has to find in the index.
TOPICS = (
    "NAT container TLS accounts transfer conference ffmpeg GStreamer scaling systemd compose Kubernetes restart image"
    " recorded who+may+call keys hold licence"
)


@pytest.mark.parametrize("topic", TOPICS.split())
def test_the_index_answers_how_to(topic):
    """With a link to a page or a heading, which `make docs` follows."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (.*) \| (\[.*\]\(.*\)) \|$", index)
    assert any(topic.replace("+", " ") in asked + to for asked, to in rows)


def test_the_migration_guide_names_all_that_the_engine_uses_of_libexosip2():
    guide = (DOCS / "migration.md").read_text(encoding="utf-8")
    header = (ROOT / "tests/double/include/eXosip2/eXosip.h").read_text(encoding="utf-8")
    used = set(re.findall(r"\b(?:eXosip_\w+(?=\()|EXOSIP_(?!DOUBLE)\w+)", header))
    assert len(used) > 90
    not_used_by_programs = {"EXOSIP_EVENT_COUNT", "EXOSIP_OPT_BASE_OPTION"}
    assert used - set(re.findall(r"`(\w+)`", guide)) <= not_used_by_programs


def test_the_migration_guide_shows_the_program_as_it_is():
    guide = (DOCS / "migration.md").read_text(encoding="utf-8")
    program = (ROOT / "examples/migration/after.py").read_text(encoding="utf-8")
    (shown,) = re.findall(r"(?s)```python\n(.*?)```", guide)
    assert shown in program


def _command_lines(page):
    """The command lines of ``sipbridge`` in the blocks of a page: lists of arguments."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for block in re.findall(r"(?s)```sh\n(.*?)```", text):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"\w+=", words[0]):
                del words[0]
            if words[:1] == ["sipbridge"]:
                yield words[1 : -1 if words[-1] == "&" else None]


@pytest.mark.parametrize("page", [ROOT / "README.md"] + sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_command_takes_each_command_line(page):
    for words in _command_lines(page):
        try:
            build_parser().parse_args(words)
        except SystemExit as end:
            assert not end.code, words


def test_each_extra_is_on_the_page_that_says_how_to_install():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    (extras,) = re.findall(r"(?s)extras_require=\{(.*?)\}", setup)
    page = (DOCS / "install.md").read_text(encoding="utf-8")
    assert re.findall(r'(?m)^ +"(\w+)":', extras) == re.findall(r"(?m)^\| `(\w+)` \|", page)

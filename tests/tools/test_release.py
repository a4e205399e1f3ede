"""`make release-check`: which steps there are, and the facts (tools/checks/release.py, release_facts.py)."""

import subprocess

import pytest

from tools.builds import interpreters
from tools.builds.environment import Failed
from tools.checks import ci, release, release_facts

CHANGELOG = (
    "# Changes\n\n## 1.2.0 (2027-01-31)\n\n### Added\n- A thing.\n\n## 1.1.0 (2026-12-01)\n- Another.\n"
)


class Checkout:
    """A repository with the files that tell a version."""

    def __init__(self, folder):
        self.folder = folder
        self.write("sipbridge/_version.py", '__version__ = "1.2.0"\n')
        self.write("sipbridge/_engine/protocol.py", "VERSION = 4\n")
        self.write("docs/worker-protocol.md", "# The worker protocol, version 4\n")
        self.write("CHANGELOG.md", CHANGELOG)
        self.git("init", "-q")
        self.commit()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *who, *words], cwd=str(self.folder), check=True, timeout=60)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a change")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(release_facts, "ROOT", tmp_path)
    monkeypatch.setattr(release_facts, "DIST", tmp_path / "dist")
    return Checkout(tmp_path)


def test_a_release_as_it_should_be(checkout):
    checkout.git("tag", "-a", "-m", "1.2.0", "v1.2.0")
    checkout.git("tag", "-a", "-m", "1.10.0", "v1.1.10", "HEAD")
    assert release_facts.tree().startswith("clean at ")
    assert (release_facts.tag(), release_facts.version()) == ("v1.2.0", "1.2.0")
    assert release_facts.changelog() == "1.2.0 of 2027-01-31, 1 entries"


def test_a_working_tree_with_changes(checkout):
    checkout.write("forgotten.py", "")
    with pytest.raises(Failed, match=r"not clean:\n\?\? forgotten.py"):
        release_facts.tree()


def test_a_commit_without_its_tag(checkout):
    with pytest.raises(Failed, match="the tag v1.2.0 is not there: git tag -a v1.2.0"):
        release_facts.tag()
    checkout.git("tag", "v1.2.0")
    with pytest.raises(Failed, match="has no author and no message"):
        release_facts.tag()
    checkout.write("mended.py", "")
    checkout.commit()
    with pytest.raises(Failed, match="the tag v1.2.0 is at another commit"):
        release_facts.tag()


def test_a_version_that_goes_back(checkout):
    for name in ("v1.2.0", "v1.10.0"):
        checkout.git("tag", "-a", "-m", "a release", name)
    with pytest.raises(Failed, match="1.2.0 is lower than v1.10.0"):
        release_facts.tag()


@pytest.mark.parametrize(
    "name, text, complaint",
    [
        ("CHANGELOG.md", CHANGELOG.replace("1.2.0", "1.3.0"), "says 1.2.0, but CHANGELOG.md says 1.3.0"),
        (
            "docs/worker-protocol.md",
            "# The worker protocol, version 3\n",
            "says 3 of the protocol's version 4",
        ),
        ("sipbridge/_version.py", '__version__ = "1.2.0rc1"\n', "has not the form MAJOR.MINOR.PATCH"),
    ],
)
def test_versions_that_differ(checkout, name, text, complaint):
    checkout.write(name, text)
    with pytest.raises(Failed, match=complaint):
        release_facts.version()


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("## Unreleased (1.2.0)\n- A thing.\n", "still has '## Unreleased"),
        (CHANGELOG + "## Unreleased\n", "still has '## Unreleased'"),
        (CHANGELOG.replace(" (2027-01-31)", ""), "the first section of CHANGELOG.md is not '## 1.2.0"),
        (CHANGELOG.replace("1.2.0", "1.1.9"), "the first section of CHANGELOG.md is not '## 1.2.0"),
        (CHANGELOG.replace("- A thing.\n", ""), "says nothing of 1.2.0"),
        ("# Changes\n", "the first section of CHANGELOG.md is not"),
    ],
)
def test_a_changelog_that_is_not_done(checkout, text, complaint):
    checkout.write("CHANGELOG.md", text)
    with pytest.raises(Failed, match=complaint):
        release_facts.changelog()


def test_what_is_published_is_all_of_one_version(checkout):
    names = ["sipbridge-1.2.0.tar.gz"] + ["sipbridge-1.2.0-%s.whl" % tag for tag in release_facts.WHEELS[:2]]
    for name in names:
        checkout.write("dist/" + name, "")
    with pytest.raises(Failed, match="lacks .'sipbridge-1.2.0-cp39-abi3-manylinux'."):
        release_facts.dist()
    checkout.write("dist/sipbridge-1.2.0-cp39-abi3-manylinux_2_31_x86_64.whl", "")
    assert release_facts.dist().count("1.2.0") == 4
    checkout.write("dist/sipbridge-1.1.0.tar.gz", "")
    with pytest.raises(Failed, match="lacks nothing; it has sipbridge-1.1.0.tar.gz"):
        release_facts.dist()


def test_a_python_that_is_missing(monkeypatch):
    here = [
        interpreters.Interpreter(version, version + ".1", "/p", True) for version in interpreters.SUPPORTED
    ]
    monkeypatch.setattr(release_facts.interpreters, "find", lambda: here)
    assert release_facts.pythons().startswith("2.7.1, 3.9.1")
    monkeypatch.setattr(
        release_facts.interpreters, "find", lambda: here[:-1] + [here[-1]._replace(headers=False)]
    )
    with pytest.raises(Failed, match="no Python 3.14 with headers"):
        release_facts.pythons()


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """Steps in place of the real ones: two that pass and one that fails; what has run is in a file."""
    monkeypatch.setattr(ci, "LOGS", tmp_path / "logs")
    log = tmp_path / "ran"
    command = 'echo %%s $ARGS$MAKEFLAGS >> "%s"; exit %%d' % log
    made = {
        name: ci.planned(name, "sh", "-c", command % (name, code))
        for name, code in (("a", 0), ("b", 1), ("c", 0))
    }
    monkeypatch.setattr(release, "STEPS", made)
    monkeypatch.setenv("ARGS", "--only b")
    monkeypatch.setenv("MAKEFLAGS", " -- ARGS=--only")
    return log


def test_only_what_is_named_runs_in_that_order_and_without_our_arguments(steps, capsys):
    assert release.main(["--only", "c", "--only", "a", "--only", "c"]) == 0
    assert steps.read_text() == "c\na\n"
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" in ")[0] for line in lines[:2]] == ["c: ok", "a: ok"]
    assert [line.split()[:2] for line in lines[3:5]] == [["c", "ok"], ["a", "ok"]]


def test_one_that_fails_is_enough(steps, capsys):
    assert release.main(["--only", "a", "--only", "b"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "failed: b"


def test_the_list_runs_nothing(capsys):
    assert release.main(["--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == list(release.STEPS)
    assert {"test-all", "image-selftest", "bench", "wheels", "docs", "linkcheck", "changelog"} < set(names)


def test_the_image_has_to_be_tried():
    """CI takes "no Docker daemon" for no failure, a release does not."""
    assert ci.Outcome(release.STEPS["image-selftest"], ci.NOT_RUN, 1.0).failed

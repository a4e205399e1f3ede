"""Tests in several processes (tests/workers.py): each runs once, whatever becomes of the process that it runs in."""

import os
import subprocess
import sys
import xml.etree.ElementTree

import pytest

TESTS = os.path.join(os.path.dirname(__file__), "..")


@pytest.fixture
def run(tmp_path):
    """Runs a file of tests by three workers: the verdicts by name, and what pytest printed."""

    def run_it(text, *options):
        (tmp_path / "conftest.py").write_text("pytest_plugins = ['workers']\n")
        (tmp_path / "test_some.py").write_text("import os, signal, sys, time\nimport pytest\n\n" + text)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            "--workers=3",
        ]
        result = subprocess.run(
            command
            + ["--basetemp", str(tmp_path / "made"), "--junitxml", "report.xml", *options, "test_some.py"],
            cwd=str(tmp_path),
            env=dict(os.environ, PYTHONPATH=TESTS),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        verdicts = {}
        for case in xml.etree.ElementTree.parse(str(tmp_path / "report.xml")).iter("testcase"):
            verdicts.setdefault(case.get("name"), []).append([each.tag for each in case])
        return verdicts, result.stdout.decode()

    return run_it


def test_each_test_runs_once_and_in_another_process(run):
    verdicts, output = run(
        "@pytest.mark.parametrize('number', range(20))\n"
        "def test_it(number, tmp_path):\n"
        "    assert os.getppid() == int(os.environ['OF_PYTEST'])\n\n"
        "os.environ.setdefault('OF_PYTEST', str(os.getpid()))\n"
    )
    assert verdicts == {"test_it[%d]" % number: [[]] for number in range(20)}
    assert "20 passed" in output


def test_what_failed_is_told_with_its_output(run):
    verdicts, output = run(
        "@pytest.fixture\ndef broken():\n    yield\n    raise ValueError('in the teardown')\n\n"
        "def test_good(): pass\n"
        "def test_bad():\n    print('said before')\n    assert 1 == 2\n"
        "def test_skipped(): pytest.skip('for a reason')\n"
        "def test_torn(broken): pass\n"
        "def test_old():\n    import warnings\n    warnings.warn('it is old', DeprecationWarning)\n"
    )
    assert verdicts["test_good"] == [[]] and verdicts["test_skipped"] == [["skipped"]]
    assert "failure" in verdicts["test_bad"][0] and "error" in verdicts["test_torn"][0]
    assert "1 failed, 3 passed, 1 skipped, 1 warning, 1 error" in output
    for text in ("said before", "assert 1 == 2", "in the teardown", "DeprecationWarning: it is old"):
        assert text in output


@pytest.mark.parametrize("end", ["os._exit(3)", "os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_the_test_in_which_a_worker_dies_has_failed_and_the_others_run(run, end):
    others = "".join("def test_%d(): pass\n" % number for number in range(10))
    verdicts, output = run("def test_deadly():\n    %s\n\n" % end + others)
    assert verdicts.pop("test_deadly") == [["failure"]]
    assert verdicts == {"test_%d" % number: [[]] for number in range(10)}
    assert "the worker that ran it ended" in output


def test_a_process_that_a_dead_worker_left_behind_holds_nothing_up(run):
    verdicts, _ = run(
        "def test_deadly():\n"
        "    if os.fork():\n        os._exit(3)\n"
        "    time.sleep(20)\n    os._exit(0)\n\n"
        "def test_other(): pass\n"
    )
    assert verdicts == {"test_deadly": [["failure"]], "test_other": [[]]}


def test_fixtures_are_torn_down_as_soon_as_nothing_needs_them_and_at_the_end(run, tmp_path):
    run(
        "def note(word):\n"
        "    with open('notes', 'a') as file: file.write('%d %s\\n' % (os.getpid(), word))\n\n"
        "@pytest.fixture(scope='session')\ndef once():\n    note('made')\n    yield\n    note('gone')\n\n"
        "@pytest.mark.parametrize('number', range(9))\n"
        "def test_it(once, number): note('test')\n"
    )
    lines = {}
    for process, word in (line.split() for line in (tmp_path / "notes").read_text().splitlines()):
        lines.setdefault(process, []).append(word)
    for words in lines.values():
        assert words[0] == "made" and words[-1] == "gone" and set(words[1:-1]) == {"test"}
    assert sum(words.count("test") for words in lines.values()) == 9


def test_the_first_failure_ends_the_run_when_asked_for(run):
    verdicts, output = run(
        "@pytest.mark.parametrize('number', range(500))\n"
        "def test_it(number):\n    time.sleep(0.01)\n    assert number != 1\n",
        "-x",
    )
    assert len(verdicts) < 500 and "stopping after 1 failures" in output


def test_tests_of_a_group_run_in_one_process_one_after_the_other(run, tmp_path):
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "test_kept.py").write_text(
        "import os, pytest\n\n@pytest.mark.parametrize('number', range(20))\n"
        "def test_it(number):\n    with open('notes', 'a') as file: file.write('%d ' % os.getpid())\n"
    )
    run("def test_it(): pass\n", "service")
    pids = (tmp_path / "notes").read_text().split()
    assert len(pids) == 20 and len(set(pids)) == 1

"""What tools/builds/prepare says of a machine that lacks things: stand-ins for its programs, and nothing installed."""

import os
import pathlib
import shutil
import subprocess

import pytest

PREPARE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "builds" / "prepare"

#: What the script itself is made of.
BASICS = ("sh", "id", "printf", "cat")


class Machine:
    """A PATH with stand-ins only."""

    def __init__(self, folder):
        self.folder = folder
        for name in BASICS:
            (folder / name).symlink_to(shutil.which(name))

    def has(self, *names, script="exit 0"):
        for name in names:
            (self.folder / name).write_text("#!/bin/sh\n%s\n" % script)
            (self.folder / name).chmod(0o755)
        return self

    def prepare(self, *arguments):
        """Exit code and output."""
        process = subprocess.run(
            [str(PREPARE), *arguments],
            env={"PATH": str(self.folder), "PYTHON": "python3", "HOME": os.devnull},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            timeout=30,
        )
        return process.returncode, process.stdout


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def complete(machine, tmp_path):
    """All that a build needs: the headers of a stand-in of Python are where it says."""
    include = tmp_path / "include"
    include.mkdir()
    (include / "Python.h").write_text("")
    return machine.has("make", "cc", "pkg-config").has("python3", script='echo "%s"' % include)


def test_nothing_is_missing(complete):
    assert complete.prepare("--dry-run", "build") == (0, "")


def test_what_is_missing_is_named_with_its_reason_and_the_command(complete):
    (complete.folder / "make").unlink()
    code, output = complete.has("apt-get").prepare("--dry-run", "build")
    assert code == 1
    assert "prepare: missing: make, which runs everything here\n" in output
    assert output.endswith(
        "    sudo apt-get update && sudo apt-get install -y --no-install-recommends make\n"
    )


def test_each_target_asks_for_its_own_packages(complete):
    complete.has("apt-get")
    code, output = complete.prepare("--dry-run", "lint")
    assert code == 1 and "shellcheck" in output and "sip-tester" not in output
    code, output = complete.prepare("--dry-run", "bench")
    assert code == 1 and "sip-tester" in output and "shellcheck" not in output


def test_the_double_needs_c_ares_too(complete):
    complete.has("cc", script='case "$(cat)" in *ares.h*) exit 1 ;; esac').has("apt-get")
    code, output = complete.prepare("--dry-run", "double", "test")
    assert code == 1 and "prepare: missing: c-ares with its headers" in output
    assert output.count(" libc-ares-dev") == 1 and " libosip2-dev" not in output
    (complete.folder / "apt-get").unlink()
    code, output = complete.has("brew").prepare("--dry-run", "double")
    assert code == 1 and output.endswith("    brew install c-ares\n")


def test_homebrew_is_named_on_macos(complete):
    (complete.folder / "make").unlink()
    code, output = complete.has("brew").prepare("--dry-run", "build")
    assert code == 1 and output.endswith("    brew install make\n")


def test_neither_apt_nor_homebrew(complete):
    (complete.folder / "make").unlink()
    code, output = complete.prepare("build")
    assert code == 1 and "neither apt-get nor brew is here" in output and "make" in output


def test_a_dry_run_installs_nothing(complete, tmp_path):
    (complete.folder / "make").unlink()
    complete.has("apt-get", "brew", "sudo", "env", script='echo "$0 $@" >>"%s"' % (tmp_path / "called"))
    complete.prepare("--dry-run", "build")
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("arguments", [("--dry-run", "nonsense"), ("--help",)])
def test_wrong_usage_prints_the_usage(machine, arguments):
    code, output = machine.prepare(*arguments)
    assert code == 2 and output.startswith("usage: tools/builds/prepare")

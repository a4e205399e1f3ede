"""What `make quick` runs for a change (tools/checks/quick.py)."""

import pathlib

import pytest

from tools.builds.environment import ROOT
from tools.checks import quick


def on(engine, *files):
    return quick.select(files).get(engine, {})


def test_a_change_of_an_engine_concerns_that_engine():
    assert set(quick.select(["csrc/sofia/call.c"])) == {"sofia"}
    assert set(quick.select(["csrc/exosip/call.c"])) == {"double"}
    assert "conformance/call" in on("double", "csrc/exosip/call.c")


def test_a_change_of_the_shield_has_the_tests_of_the_shield():
    assert "shield" in on("double", "csrc/shield/check/scan.c")


def test_a_test_runs_itself():
    assert on("sofia", "tests/unit/test_uri.py") == {"unit/test_uri.py": ["tests/unit/test_uri.py"]}


def test_a_removed_test_runs_nothing():
    assert quick.select(["tests/unit/test_that_was_removed.py"]) == {}


def test_a_module_has_the_tests_that_name_it():
    assert any(name.startswith("properties/") for name in on("sofia", "sipbridge/sdp.py"))


def test_pages_have_the_tests_of_their_examples():
    assert "unit/examples/test_readme.py" in on("sofia", "README.md") and "conformance/call" not in on(
        "sofia", "README.md"
    )


def test_slow_tests_stay_apart_unless_asked_for():
    core = quick.arguments(on("sofia", "sipbridge/_call/call.py"))
    assert "--ignore=%s" % (ROOT / "tests" / "unit" / "command") in core
    both = quick.arguments(on("sofia", "sipbridge/_call/call.py", "sipbridge/_command/cli.py"))
    assert "--ignore=%s" % (ROOT / "tests" / "unit" / "command") not in both


def test_a_test_that_is_asked_for_is_not_left_out_with_its_folder():
    both = quick.arguments(on("sofia", "sipbridge/_call/call.py", "sipbridge/_command/doctor.py"))
    assert "--ignore=%s" % (ROOT / "tests" / "unit" / "command") not in both


@pytest.mark.parametrize("rule", quick.RULES, ids=lambda rule: rule.pattern)
def test_each_rule_names_tests_that_exist(rule):
    for name in rule.tests:
        assert name in ("CORE", "ITSELF") or (pathlib.Path(quick.TESTS) / name).exists(), name


def test_every_file_of_the_checkout_has_a_rule():
    for file in quick.git("ls-files"):
        assert any(quick.fnmatch.fnmatch(file, rule.pattern) for rule in quick.RULES), file


def test_the_telephony_service_has_a_run_of_its_own():
    assert list(quick.select(["examples/telephony/telephony/app.py"])) == ["service"]
    assert on("service", "tests/service/test_calls.py") == {
        "service/test_calls.py": ["tests/service/test_calls.py"]
    }
    assert not any(name.startswith("service") for name in on("sofia", "sipbridge/testing.py"))

"""`make double-check`: what it does without the library, and that it tells two engines apart."""

import pytest

from tools.builds import environment, trees
from tools.builds.environment import Failed
from tools.checks import double


class _Native:
    def __init__(self, engines):
        self._engines = engines

    def build(self):
        pass

    def engines(self):
        return self._engines


@pytest.mark.parametrize(
    "engines, found",
    [
        ({"sofia": "1.13"}, "here is none of these"),
        ({"exosip": "4.1.0"}, "here is libeXosip2 4.1.0"),
        ({"exosip": "3.6.0 (double)"}, "here is libeXosip2 3.6.0 (double)"),
    ],
    ids=["none", "another", "the double"],
)
def test_without_the_library_it_says_what_to_do(monkeypatch, engines, found):
    monkeypatch.setattr(environment, "default", lambda: "python")
    monkeypatch.setattr(trees, "native", lambda python, version: _Native(engines))
    monkeypatch.setattr("sys.argv", ["double"])
    with pytest.raises(SystemExit) as ended:
        double.main()
    assert found in str(ended.value) and "C_INCLUDE_PATH" in str(ended.value)
    with pytest.raises(Failed):
        double.sides()


def test_a_difference_that_is_known_does_not_count(capsys, monkeypatch):
    monkeypatch.setattr(double, "KNOWN", (("call: message: ACK$", "-X", "it may"),))
    assert double.tell("call: message: ACK", ["-X: 1"]) == 0
    assert double.tell("call: message: ACK", ["-X: 1", "+Y: 1"]) == 1
    assert double.tell("call: message: ACK, number 2", ["-X: 1"]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith("(known: it may)")


def test_each_flow_of_the_journal_is_known():
    names = double.names()
    assert {"call", "refer", "wrong password"} <= set(names) and len(names) > 15


@pytest.mark.parametrize("arguments, chosen", [([], "captures flows datagrams"), (["flows"], "flows")])
def test_the_parts_that_are_named_run_and_all_of_them_otherwise(arguments, chosen, monkeypatch, tmp_path):
    ran = []
    parts = {name: lambda _, __, name=name: ran.append(name) or 0 for name in double.PARTS}
    side = double.Side("library", _Native({"exosip": "3.6.0"}))
    monkeypatch.setattr(double, "PARTS", parts)
    monkeypatch.setattr(double, "sides", lambda: (side, side))
    monkeypatch.setattr(double, "BUILD", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["double", *arguments])
    assert double.main() == 0
    assert ran == chosen.split()


def test_the_help_names_the_parts(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["double", "--help"])
    with pytest.raises(SystemExit):
        double.main()
    assert "{all,captures,flows,datagrams}" in capsys.readouterr().out

"""Files and functions that are too long are found (tools/checks/size.py)."""

from tools.checks import size

LONG = "def f():\n" + "    pass\n" * 60


def test_a_function():
    assert list(size.complaints("x.py", "pass\n" + LONG)) == ["x.py:2: f() has 61 lines, more than 60"]
    assert list(size.complaints("x.py", "async " + LONG)) == ["x.py:1: f() has 61 lines, more than 60"]


def test_a_file():
    assert list(size.complaints("x.py", "pass\n" * 501)) == ["x.py: 501 lines, more than 500"]


def test_a_file_of_c_has_lines_alone():
    assert list(size.complaints("x.c", "int x;\n" * 501)) == ["x.c: 501 lines, more than 500"]


def test_the_limits_themselves():
    assert list(size.complaints("x.py", LONG[:-9] + "pass\n" * 440)) == []

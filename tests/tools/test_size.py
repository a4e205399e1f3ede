"""Files and functions that are too long are found (tools/checks/size.py)."""

from tools.checks import size

LONG = "def f():\n" + "    pass\n" * 60


def test_a_long_function_is_named():
    assert list(size.complaints("x.py", "pass\n" + LONG)) == ["x.py:2: f() has 61 lines, more than 60"]
    assert list(size.complaints("x.py", "async " + LONG)) == ["x.py:1: f() has 61 lines, more than 60"]


def test_a_long_file_is_named():
    assert list(size.complaints("x.py", "pass\n" * 501)) == ["x.py: 501 lines, more than 500"]


def test_of_a_c_file_only_the_lines_are_counted():
    assert list(size.complaints("x.c", "int x;\n" * 501)) == ["x.c: 501 lines, more than 500"]


def test_a_file_and_a_function_at_the_limit_pass():
    assert list(size.complaints("x.py", LONG[:-9] + "pass\n" * 440)) == []

"""What Python 2.7.3, gcc 4.6 and glibc 2.15 lack is found, and nothing else (tools/checks/too_new.py)."""

import pytest

from tools.checks import too_new


def python(source):
    return [(line, text.split(" ")[0]) for line, text in too_new.python_findings(source)]


def c(source):
    return [(line, text.split("'")[1]) for line, text in too_new.c_findings(source)]


@pytest.mark.parametrize(
    "source",
    [
        "import hmac\nhmac.compare_digest(a, b)",
        "import hmac\n\n\nx = hmac.compare_digest",
        "\nfrom hmac import compare_digest",
    ],
)
def test_names_that_are_too_new(source):
    assert [name for _, name in python(source)] == ["hmac.compare_digest"]


@pytest.mark.parametrize(
    "source",
    ["import typing", "from typing import Any", "if TYPE_CHECKING:\n    pass\nelse:\n    import typing"],
)
def test_typing_is_too_new(source):
    assert [name for _, name in python(source)] == ["typing"]


def test_imports_for_types_alone_are_no_hit():
    assert python("if TYPE_CHECKING:\n    import typing\n    from hmac import compare_digest") == []


def test_hits_are_told_with_their_line():
    assert python("import ssl\n\nssl.SSLContext()") == [(3, "ssl.SSLContext")]


@pytest.mark.parametrize("call", ["pack", "unpack", "calcsize", "Struct", "pack_into"])
def test_unicode_formats_of_struct(call):
    assert python("struct.%s(u'!H')" % call) == [(1, "struct")]
    assert python("struct.%s('!H')" % call) == []
    assert python("struct.%s(b'!H')" % call) == []
    assert python("from __future__ import unicode_literals\nstruct.%s('!H')" % call) == [(2, "struct")]


@pytest.mark.parametrize(
    "source", ["x.compare_digest(a)", "'hmac.compare_digest'", "# ssl.SSLContext", "struct.pack(x)"]
)
def test_older_python_is_no_hit(source):
    assert python(source) == []


@pytest.mark.parametrize(
    "source, found",
    [
        ("_Generic(x)", "_Generic"),
        ("static _Thread_local int x;", "_Thread_local"),
        ("#include <stdatomic.h>", "<stdatomic.h>"),
        ("__atomic_load_n(&x, 0);", "__atomic_load_n"),
        ("getrandom(x, 1, 0);", "getrandom("),
        ("p = reallocarray(p, 1, 2);", "reallocarray("),
        ("strlcpy (a, b, 1);", "strlcpy ("),
    ],
)
def test_names_too_new_in_c_are_found(source, found):
    assert c("\n" + source) == [(2, found)]


@pytest.mark.parametrize(
    "source", ["/* getrandom(x) */", "// strlcpy(a)", "my_getrandom(x);", "int secure_getenv_too;"]
)
def test_older_c_is_no_hit(source):
    assert c(source) == []


def test_comments_do_not_move_lines():
    assert c("/* one\ntwo */ getauxval(1);") == [(2, "getauxval(")]


def test_the_command_exits_with_1_on_a_hit(tmp_path, capsys):
    good, bad = tmp_path / "good.py", tmp_path / "bad.c"
    good.write_text("x = 1\n")
    bad.write_text("int a;\nint b = _Generic(a);\n")
    assert too_new.main([str(good)]) == 0
    assert capsys.readouterr().out == ""
    assert too_new.main([str(good), str(bad)]) == 1
    assert capsys.readouterr().out == "%s:2: '_Generic' came with gcc 4.9\n" % bad

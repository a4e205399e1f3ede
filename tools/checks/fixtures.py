"""No two fixtures of the tests do the same: `make lint` runs this.

    python -m tools.checks.fixtures

A hit is a fixture whose body is that of a fixture in another file, whatever the two, their documentation and their
variables are called. One of them goes; what several folders need stands in tests/peers/fixtures.py. A fixture that
calls nothing (an empty list for two others to share) is no hit.
"""

import ast
import sys

from tools.builds.environment import ROOT

TESTS = ROOT / "tests"


def is_fixture(node):
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


class Renamed(ast.NodeTransformer):
    """Gives the variables of a function names that say when they are first used."""

    def __init__(self, own):
        self._names = {name: "_%d" % number for number, name in enumerate(own)}

    def visit_Name(self, node):
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def variables(function):
    """The names that a function gives a value, in the order of the text."""
    stored = [
        node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    stored.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in stored))


def body(function):
    """What a fixture does, as text: without its documentation, its variables renamed. "" if it calls nothing."""
    statements = function.body[ast.get_docstring(function) is not None :]
    if not any(isinstance(node, ast.Call) for each in statements for node in ast.walk(each)):
        return ""
    renamed = Renamed(variables(function))
    return "\n".join([ast.unparse(function.args)] + [ast.dump(renamed.visit(each)) for each in statements])


def fixtures(source):
    """(line, name, body) of each fixture in a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_fixture(node):
            yield node.lineno, node.name, body(node)


def complaints(sources):
    """What stands twice in sources, a dict of names and texts."""
    seen = {}
    for file, source in sorted(sources.items()):
        for line, name, does in fixtures(source):
            other, where = seen.setdefault(does, (file, "%s() in %s:%d" % (name, file, line)))
            if does and other != file:
                yield "%s:%d: the fixture %s() does what %s does" % (file, line, name, where)


def main():
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    found = list(complaints(files))
    print("\n".join(found + ["%d fixtures stand twice" % len(found)]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

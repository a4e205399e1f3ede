"""Find files over 500 lines, and Python functions over 60. lizard measures the functions of C.

    python -m tools.checks.size FILE...

Exit code 1 when there is one.
"""

import ast
import pathlib
import sys

FILE, FUNCTION = 500, 60


def complaints(name, source):
    """What is too long in a source, in lines."""
    length = source.count("\n")
    if length > FILE:
        yield "%s: %d lines, more than %d" % (name, length, FILE)
    for node in ast.walk(ast.parse(source)) if name.endswith(".py") else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION:
                place = (name, node.lineno, node.name, length, FUNCTION)
                yield "%s:%d: %s() has %d lines, more than %d" % place


def main(names):
    found = [line for name in names for line in complaints(name, pathlib.Path(name).read_text("utf-8"))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""No module reaches into what another folder keeps to itself: `make lint` runs this.

    python -m tools.checks.private

A hit is ``x._name``, x being neither ``self`` nor ``cls``, where no class or module of the same folder defines
``_name``. Folders are the layers of the package (docs/architecture.md); what is flat in it is one of them.
"""

import ast
import sys

from tools.builds.environment import ROOT

PACKAGE = ROOT / "sipbridge"

#: What Python and its library themselves name so.
GIVEN = {"_fields", "_replace", "_make", "_asdict", "_exit", "_getframe", "_MainThread"}


def own(name):
    return name.startswith("_") and not name.startswith("__") and name not in GIVEN


def defined(tree):
    """The private names that a module defines: its own, those of its classes, and what these give ``self``."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            yield node.attr
        elif isinstance(node, ast.Assign) and any(is_slots(target) for target in node.targets):
            yield from (each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant))


def is_self(node):
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def is_slots(node):
    return isinstance(node, ast.Name) and node.id == "__slots__"


def hits():
    """(path, line, expression) of each."""
    folders = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        folders.setdefault(path.parent, {})[path] = ast.parse(path.read_text(encoding="utf-8"))
    for trees in folders.values():
        names = {name for tree in trees.values() for name in defined(tree) if isinstance(name, str)}
        for path, tree in trees.items():
            for node in ast.walk(tree):
                reaches = isinstance(node, ast.Attribute) and own(node.attr) and not is_self(node.value)
                if reaches and node.attr not in names:
                    yield path.relative_to(ROOT), node.lineno, ast.unparse(node)


def main():
    found = ["%s:%d: %s" % hit for hit in hits()]
    print("\n".join(found + ["%d places reach into what another folder keeps to itself" % len(found)]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

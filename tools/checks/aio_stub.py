"""Write sipbridge/aio.pyi from the stubs of the classes that sipbridge.aio has facades of, as it makes them itself:
what takes a timeout is a coroutine. With --check nothing is written: fails when the stub is not what it would be.

    build/venv-lint/bin/python -m tools.checks.aio_stub [--check]
"""

import ast
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUB = ROOT / "sipbridge" / "aio.pyi"

#: The classes, with the modules that have them and what waits there without a timeout of its own.
FACADES = (
    ("Call", "_call/call", ()),
    ("Registration", "_kept/registration", ()),
    ("Subscription", "_kept/subscription", ()),
    ("Notifier", "_kept/notifier", ()),
    ("Publication", "_kept/publication", ()),
    ("Transfer", "_call/transfer", ()),
    ("Watch", "_agent/watch", ()),
    ("Account", "_agent/account", ("call", "message", "options", "publish", "request", "subscribe")),
    ("Endpoint", "_agent/endpoint", ()),
)

BEGINNING = """\
from sipbridge._agent import streams

class EventStream(streams.Stream, AsyncIterator[Any]):
    def __aiter__(self) -> EventStream: ...
    async def __aenter__(self) -> EventStream: ...
    async def __aexit__(
        self, *exc_info: Union[Type[BaseException], BaseException, TracebackType, None]
    ) -> None: ...
    async def __anext__(self) -> Any: ...
"""

#: What is not the same: events have objects of this module in them.
OWN = {
    "__init__": "def __init__(self, core: object) -> None: ...",
    "on": "def on(self, kind: type, handler: Callable[[Any], object]) -> None: ...",
    "off": "def off(self, kind: type, handler: Callable[[Any], object]) -> None: ...",
    "account_of": "def account_of(self, event: Any) -> Optional[Account]: ...",
    "events": "def events(self, timeout: Optional[float] = None) -> EventStream: ...",
    "__enter__": "async def __aenter__(self) -> Endpoint: ...",
    "__exit__": "async def __aexit__("
    "self, *exc_info: Union[Type[BaseException], BaseException, TracebackType, None]) -> None: ...",
}


def converted(member, waiting, keep_init):
    """A member of a stub's class as the facade has it."""
    if not isinstance(member, ast.FunctionDef):
        return member
    if member.name in OWN and not (member.name == "__init__" and keep_init):
        return ast.parse(OWN[member.name]).body[0]
    names = [argument.arg for argument in member.args.args + member.args.kwonlyargs]
    if member.name in waiting or "timeout" in names:
        return ast.parse("async " + ast.unparse(member)).body[0]
    return member


def declared(name, module):
    """A class in the stub of a module, and the import statements of that stub."""
    tree = ast.parse((ROOT / "sipbridge" / (module + ".pyi")).read_text())
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    return found, [node for node in tree.body if isinstance(node, ast.ImportFrom)]


def facade(name, module, waiting):
    """The class, converted, and all the import statements that it takes."""
    found, imports = declared(name, module)
    found.bases = []
    body = [each for each in found.body if not getattr(each, "name", "").startswith("_") or each.name in OWN]
    found.body = [converted(each, waiting, name == "Endpoint") for each in body]
    return found, imports


def text():
    """The whole stub, before it is formatted."""
    own = {name for name, _, _ in FACADES} | {"EventStream"}
    needed = "AsyncIterator Any Callable Optional Type Union"
    imported = {("typing", name) for name in needed.split()} | {("types", "TracebackType")}
    classes = []
    for name, module, waiting in FACADES:
        found, imports = facade(name, module, waiting)
        classes.append(ast.unparse(found))
        imported.update((node.module, alias.name) for node in imports for alias in node.names)
    code = "\n\n".join([BEGINNING] + classes)
    words = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    lines = ["from %s import %s" % each for each in sorted(imported) if each[1] in words - own]
    return "\n".join(["# Written by tools/checks/aio_stub.py."] + lines + [code]) + "\n"


def formatted(code):
    """As ruff lays it out."""
    for command in (["check", "-q", "--fix", "--select", "I"], ["format", "-q"]):
        options = ["--stdin-filename", str(STUB), "-"]
        code = subprocess.run(
            [sys.executable, "-m", "ruff"] + command + options,
            input=code,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            cwd=str(ROOT),
        ).stdout
    return code


def main():
    code = formatted(text())
    if "--check" not in sys.argv:
        STUB.write_text(code)
    elif STUB.read_text() != code:
        sys.exit("sipbridge/aio.pyi is out of date: build/venv-lint/bin/python -m tools.checks.aio_stub")


if __name__ == "__main__":
    main()

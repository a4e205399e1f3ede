"""Write sipbridge/aio.pyi, the types of sipbridge.aio. No line of it is written by hand.

    build/venv-lint/bin/python -m tools.checks.aio_stub [--check]

sipbridge.aio makes its classes from those of sipbridge when it is imported, so no type checker can read them there.
The stub says what comes out: a method that takes a timeout is a coroutine, and the objects in an event are those of
sipbridge.aio. It takes each signature from where it stands: from the `# type:` comments of sipbridge, and from the
annotations of sipbridge/aio.py and sipbridge/_aio. Which class stands for which, and what waits without a timeout of
its own, it reads in sipbridge/aio.py.

With --check it writes nothing, and fails when the stub is not what it would write. mypy's stubtest then compares the
stub with the module as it is when imported (tools/checks/lint.py).
"""

import ast
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUB = ROOT / "sipbridge" / "aio.pyi"

#: What the classes of sipbridge have otherwise: each event's handler has its own type. Those of a call may have another
#: type, which %s is for.
OWN = {
    "on": "@property\ndef on(self) -> %sOn: ...",
    "off": "@property\ndef off(self) -> %sOff: ...",
    "serve": "def serve(self, handler: _Served) -> _Served: ...",
    "keys": "def keys(self, timeout: Optional[float] = ...) -> KeyStream: ...",
    "events": "def events(self, timeout: Optional[float] = ...) -> EventStream: ...",
}

#: The methods with two underscores that the stub has.
SPECIAL = ("__init__", "__aiter__", "__anext__", "__aenter__", "__aexit__")

#: What the stub takes from typing.
TYPING = "Any Callable Optional Protocol Type TypeVar Union overload type_check_only"

#: What an account gives itself.
ACCOUNTS = ("from_", "route")


class Source:
    """A module of sipbridge."""

    def __init__(self, path):
        text = (ROOT / "sipbridge" / (path + ".py")).read_text(encoding="utf-8")
        self.body = ast.parse(text, type_comments=True).body
        self.classes = {node.name: node for node in self.body if isinstance(node, ast.ClassDef)}
        name = "sipbridge." + path.replace("/", ".")
        self.imports = {each: (name, each) for each in self.classes}
        self.literals = {}
        conditional = [each for part in self.body if isinstance(part, ast.If) for each in part.body]
        for node in self.body + conditional:
            if isinstance(node, ast.ImportFrom):
                self.imports.update(
                    (alias.asname or alias.name, (node.module, alias.name)) for alias in node.names
                )
            elif isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Literal["):
                self.literals[node.targets[0].id] = node.value


def facades():
    """Name, module and what waits without a timeout, of each class that sipbridge/aio.py makes a facade of."""
    for name, found in AIO.classes.items():
        for decorator in found.decorator_list:
            core, *waiting = decorator.args
            module = ".".join(AIO.imports[core.value.id]).partition(".")[2]
            yield name, module.replace(".", "/"), ast.literal_eval(waiting[0]) if waiting else ()


AIO = Source("aio")
FACADES = list(facades())
NAMES = {name for name, _, _ in FACADES}


class Resolver(ast.NodeTransformer):
    """Writes out the names of literals, and notes which other names are used."""

    def __init__(self, source, used):
        self._source = source
        self._used = used

    def visit_Name(self, node):
        if node.id in self._source.literals:
            self._used.add(("typing", "Literal"))
            return self._source.literals[node.id]
        if node.id in self._source.imports:
            self._used.add(self._source.imports[node.id])
        return node

    def of(self, annotation):
        """The type in a comment, a string or a node, as a node."""
        if isinstance(annotation, str):
            annotation = ast.parse(annotation, mode="eval").body
        return self.visit(annotation)


# -- functions -----------------------------------------------------------------------------------------------


def signature(function, resolver, method=True, leave_out=()):
    """A function without its body, its types in annotations."""
    found = ast.parse(ast.unparse(function), type_comments=False).body[0]
    comment = ast.parse(function.type_comment, mode="func_type")
    arguments = [each for each in every_argument(function) if not (method and each.arg in ("self", "cls"))]
    kinds = comment.argtypes
    if len(kinds) == 1 and isinstance(kinds[0], ast.Constant):  # (...): each argument has its own
        kinds = [each.type_comment for each in arguments]
    types = {each.arg: resolver.of(kind) for each, kind in zip(arguments, kinds)}
    for argument in every_argument(found):
        argument.annotation = types.get(argument.arg)
        argument.type_comment = None
    leave_arguments_out(found.args, leave_out)
    found.args.defaults = [shown(each) for each in found.args.defaults]
    found.args.kw_defaults = [shown(each) for each in found.args.kw_defaults]
    found.returns = resolver.of(comment.returns)
    found.type_comment = None
    found.body = [ast.Expr(ast.Constant(...))]
    return found


def annotated(function):
    """A function that has annotations, without its body."""
    found = ast.parse(ast.unparse(function)).body[0]
    found.body = [ast.Expr(ast.Constant(...))]
    return found


def every_argument(function):
    found = function.args
    return [
        each for each in found.args + [found.vararg] + found.kwonlyargs + [found.kwarg] if each is not None
    ]


def leave_arguments_out(arguments, names):
    """Those that are left out have their places all the same: what follows them can only be named."""
    places = [index for index, each in enumerate(arguments.args) if each.arg in names]
    if places:
        count = len(arguments.args) - places[0]
        arguments.kwonlyargs = [each for each in arguments.args[places[0] :] if each.arg not in names]
        kept = zip(arguments.args[places[0] :], arguments.defaults[-count:])
        arguments.kw_defaults = [default for each, default in kept if each.arg not in names]
        del arguments.args[places[0] :], arguments.defaults[-count:]


def shown(default):
    """A default as a stub has it."""
    return default if isinstance(default, (ast.Constant, ast.Tuple)) else ast.Constant(...)


# -- the classes ---------------------------------------------------------------------------------------------


def attributes(init, resolver):
    """`name: type` for each public attribute that an __init__ sets."""
    known = {each.arg: each.annotation for each in every_argument(signature(init, resolver))}
    for node in init.body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if not isinstance(target, ast.Attribute) or target.attr.startswith("_"):
                continue
            if node.type_comment:
                kind = resolver.of(node.type_comment.split("  #")[0])
            elif isinstance(node.value, ast.Constant) and node.value.value is not None:
                kind = ast.Name(type(node.value.value).__name__)
            elif isinstance(node.value, ast.Name) and known.get(node.value.id):
                kind = known[node.value.id]
            else:
                sys.exit("%s: self.%s needs a type comment" % (init.lineno, target.attr))
            yield ast.AnnAssign(ast.Name(target.attr), kind, None, 1)


def lineage(name, source):
    """The class and those that it inherits from, each with its module."""
    found = source.classes[name]
    for base in found.bases:
        module, base_name = source.imports.get(getattr(base, "id", ""), ("", ""))
        if module.startswith("sipbridge."):
            yield from lineage(base_name, Source(module.partition(".")[2].replace(".", "/")))
    yield source, found


def method_of(name, method):
    """A method of a class of a facade, with its module."""
    path = next(path for each, path, _ in FACADES if each == name)
    for source, found in lineage(name, Source(path)):
        for node in found.body:
            if getattr(node, "name", None) == method:
                return source, node
    sys.exit("%s has no method %s" % (name, method))


def members(found, source, waiting, used):
    """The members of a class as its facade has them."""
    resolver = Resolver(source, used)
    for node in found.body:
        for each in node.body if isinstance(node, ast.If) else ():
            if isinstance(each, ast.Assign) and ast.unparse(each.value).startswith("_as_of(Endpoint."):
                module, method = method_of("Endpoint", each.targets[0].id)
                yield awaited(signature(method, Resolver(module, used), leave_out=ACCOUNTS), waiting)
        if not isinstance(node, ast.FunctionDef):
            continue
        if node.name == "__init__":
            yield from attributes(node, resolver)
        if node.name in OWN:
            own = OWN[node.name].replace("%s", "_OfCall" if found.name == "Own" else "_")
            yield from ast.parse(own).body
        elif not node.name.startswith("_") or (node.name, found.name) == ("__init__", "Endpoint"):
            yield awaited(signature(node, resolver), waiting)


def methods(found):
    """Those that a class itself defines, and that anybody may call."""
    functions = [node for node in found.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [node for node in functions if node.name in SPECIAL or not node.name.startswith("_")]


def stream(used):
    """The class of the iterator of events."""
    source = Source("_aio/dispatcher")
    found = source.classes["EventStream"]
    used.add(source.imports["streams"])
    found.body = [annotated(node) for node in methods(found)]
    return ast.unparse(found)


def awaited(function, waiting):
    """A coroutine where it waits."""
    names = [each.arg for each in every_argument(function)]
    if function.name in waiting or ("timeout" in names and function.name != "events"):
        return ast.parse("async " + ast.unparse(function)).body[0]
    return function


def facade(name, path, waiting, used):
    found = ast.ClassDef(name, [], [], [], [])
    for source, each in lineage(name, Source(path)):
        found.body += members(each, source, waiting, used)
    made = {node.name for node in found.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    made |= {node.target.id for node in found.body if isinstance(node, ast.AnnAssign)}
    own = methods(Source("_aio/facade").classes["Facade"]) + methods(AIO.classes[name])
    found.body += [annotated(node) for node in own if node.name not in made]
    return ast.unparse(ast.fix_missing_locations(found))


# -- the events ----------------------------------------------------------------------------------------------


def mentions(node):
    return any(isinstance(each, ast.Name) and each.id in NAMES for each in ast.walk(node))


def fields(found):
    """Name and type of each field of an event, where they are its own."""
    call = found.bases[0]
    if isinstance(call, ast.Call):
        for pair in call.args[1].elts:
            yield pair.elts[0].value, pair.elts[1].value


def event(found, resolver, ours):
    """The class of an event with what is an object of sipbridge.aio in it; None where nothing is."""
    lines = []
    for name, kind in fields(found):
        node = ast.parse(kind, mode="eval").body
        if mentions(node):
            kind = ast.unparse(resolver.of(node))
            lines += ["@property", "def %s(self) -> %s: ...  # type: ignore[override]" % (name, kind)]
    conditional = [each for part in found.body if isinstance(part, ast.If) for each in part.body]
    for node in conditional + found.body:
        if isinstance(node, ast.FunctionDef):
            comment = ast.parse(node.type_comment, mode="func_type")
            if mentions(comment.returns):
                *before, line = ast.unparse(signature(node, resolver)).splitlines()[:-1]
                name, _, rest = line.partition("(")
                if rest.startswith("self)"):
                    lines += before + [line + " ...  # type: ignore[override]"]
                else:
                    lines += before + [name + "(  # type: ignore[override]", "    " + rest + " ..."]
    bases = [base.id for base in found.bases if isinstance(base, ast.Name) and base.id in ours]
    if not lines and not bases:
        return None
    head = "class %s(%s):" % (found.name, ", ".join(bases + ["events." + found.name]))
    head += "  # type: ignore[misc]" if bases else ""
    return "\n    ".join([head] + (lines or ["..."]))


def of_events(used):
    """The classes of events, their union, and how handlers are given and taken back."""
    source = Source("events")
    resolver = Resolver(source, used)
    parts, ours = [], []
    for name, found in source.classes.items():
        code = event(found, resolver, ours)
        if code is None:
            used.add(("sipbridge.events", "%s as %s" % (name, name)))
        else:
            ours.append(name)
            parts.append(code)
    conditional = [each for node in source.body if isinstance(node, ast.If) for each in node.body]
    union = next(
        each for each in conditional if isinstance(each, ast.Assign) and each.targets[0].id == "Event"
    )
    parts.append(ast.unparse(union))
    derived = [name for name, found in source.classes.items() if not any(fields(found))]
    order = derived + [name for name in source.classes if name not in derived]
    of_calls = [name for name in order if name in derived or "call" in dict(fields(source.classes[name]))]
    used.add(("sipbridge._agent.observers", "Observer"))
    parts.append("_Observer = TypeVar('_Observer', bound=Observer)")
    parts += ["_Result = TypeVar('_Result')", "_Served = TypeVar('_Served', bound=Callable[[Call], object])"]
    for prefix, names in (("_", order), ("_OfCall", of_calls)):
        parts.append(protocol(prefix + "On", [ON, DECORATED], names, derived))
        parts.append(protocol(prefix + "Off", [ON], names, derived))
    return parts


#: How to give a handler for an event, and how to decorate one.
ON = "def __call__(self, kind: Type[events.%s], handler: Callable[[%s], object]) -> None: ..."
DECORATED = """def __call__(%s
        self, kind: Type[events.%s]
    ) -> Callable[[Callable[[%s], _Result]], Callable[[%s], _Result]]: ..."""


def protocol(name, signatures, events, derived):
    """A method that may be called with each of the events."""
    lines = ["@type_check_only", "class %s(Protocol):" % name]
    for each in events:
        for signature in signatures:
            if signature is DECORATED:
                ignored = "  # type: ignore[overload-overlap]" if each in derived else ""
                signature = signature.replace("%s", ignored, 1)
            lines += ["    @overload", "    " + signature.replace("%s", each)]
    return "\n".join(lines)


# -- the stub ------------------------------------------------------------------------------------------------


def text():
    """The whole stub, before it is formatted."""
    used = {("typing", name) for name in TYPING.split()}
    used.add(("sipbridge", "events"))
    code = of_events(used) + [stream(used)]
    code += [facade(name, path, waiting, used) for name, path, waiting in FACADES]
    own = NAMES | {"EventStream"} | set(Source("events").classes)
    words = {node.id for node in ast.walk(ast.parse("\n\n".join(code))) if isinstance(node, ast.Name)}
    needed = [each for each in sorted(used) if " as " in each[1] or each[1] in words - own]
    lines = ["from %s import %s" % each for each in needed]
    return "\n\n".join(["# Written by tools/checks/aio_stub.py.\n" + "\n".join(lines)] + code) + "\n"


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

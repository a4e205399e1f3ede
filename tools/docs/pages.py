"""What the pages get from the code when Sphinx reads them, in place of a comment that a reader of the file never sees:

    <!-- api: sipbridge.Call sipbridge.sdp -->   the docstrings of classes, functions and modules
    <!-- commands -->                            the --help of each command of ``sipbridge``
    <!-- coroutines -->                          the methods of sipbridge.aio that are coroutines

And docs/index.md gets its navigation: a section for each of its headings, of the pages that are linked below it.
"""

import argparse
import importlib
import inspect
import re

from sipbridge import aio
from sipbridge._command.options import build_parser

INDEX = "docs/index"


def _directive(name):
    """The directive of autodoc for a dotted name."""
    try:
        importlib.import_module(name)
    except ImportError:
        module, _, attribute = name.rpartition(".")
        value = getattr(importlib.import_module(module), attribute)
        return "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else "autodata"
    return "automodule"


def _api(names):
    blocks = []
    for name in names.split():
        directive = _directive(name)
        if directive == "automodule":
            blocks.append("## %s\n" % name)
        blocks.append("```{eval-rst}\n.. %s:: %s\n```\n" % (directive, name))
    return "\n".join(blocks)


def _commands(_):
    parser = build_parser()
    (choice,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    texts = [("sipbridge", parser)] + [("sipbridge " + name, each) for name, each in choice.choices.items()]
    return "\n".join("## %s\n\n```text\n%s```\n" % (name, each.format_help()) for name, each in texts)


def _coroutines(_):
    lines = ["| class | methods that you await |", "| --- | --- |"]
    for name in sorted(aio.__all__):
        value = getattr(aio, name)
        methods = inspect.getmembers(value, inspect.iscoroutinefunction) if inspect.isclass(value) else []
        named = ["`%s`" % method for method, _ in methods if method[0] != "_"]
        if named:
            lines.append("| `%s` | %s |" % (name, ", ".join(named)))
    return "\n".join(lines) + "\n"


PLACES = (
    (re.compile(r"<!-- api: (.*?) -->", re.DOTALL), _api),
    (re.compile(r"<!-- (commands) -->"), _commands),
    (re.compile(r"<!-- (coroutines) -->"), _coroutines),
)


def _navigation(text):
    """A hidden table of contents for each section with links to pages, as the page has them."""
    trees = []
    for section in re.split(r"\n## ", text)[1:]:
        linked = re.findall(r"(?m)^- \[(.*?)\]\(([^)#]+)\.md\)", section)
        if linked:
            title = section.split("\n", 1)[0]
            entries = "\n".join("%s <%s>" % each for each in linked)
            trees.append("```{toctree}\n:hidden:\n:caption: %s\n\n%s\n```\n" % (title, entries))
    return "\n".join(trees)


def complete(app, name, source):
    """For ``source-read``: put what comes from the code into its place."""
    text = source[0]
    for pattern, make in PLACES:
        text = pattern.sub(lambda found, make=make: make(found.group(1)), text)
    source[0] = text + "\n" + _navigation(text) if name == INDEX else text

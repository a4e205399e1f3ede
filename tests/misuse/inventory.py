"""What the package has of public functions, found by looking at it."""

from __future__ import absolute_import, division, print_function

import inspect

import sipbridge
from misuse.table import INTERNAL, INTERNAL_CLASSES, MADE_BY_THE_PACKAGE, MODULES
from sipbridge import access

if hasattr(inspect, "signature"):

    def parameters(function):
        """The names of a function's parameters, without ``self`` and ``cls``."""
        return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]

else:

    def parameters(function):
        names, args, options, _ = inspect.getargspec(function)
        return [name for name in names + [args, options] if name not in (None, "self", "cls")]


def _public_names():
    for name in sipbridge.__all__:
        yield sipbridge, name
    from sipbridge._agent import account, endpoint, network

    yield account, "Account"
    yield network, "Network"
    yield endpoint, "Endpoint"
    for name in access.__all__:
        yield access, name
    for module in MODULES:
        for name in sorted(vars(module)):
            if not name.startswith("_") and _belongs(getattr(module, name), module):
                yield module, name


def _belongs(value, module):
    return getattr(value, "__module__", None) == module.__name__


def _methods(kind):
    """The functions of a class, and its constructor where it has one of its own, by name."""
    for base in kind.__mro__:
        if not base.__module__.startswith("sipbridge") or tuple in base.__bases__:  # what namedtuple() made
            continue
        for name, member in vars(base).items():
            member = getattr(member, "__func__", member)
            member = getattr(member, "__wrapped__", member)
            if not inspect.isfunction(member):
                continue
            made = name in ("__init__", "__new__") and kind.__name__ not in MADE_BY_THE_PACKAGE
            if made or not name.startswith("_"):
                yield base, name, member


def functions():
    """``{"Class.method" or "module.function": names of its parameters}`` of what has any."""
    found = {}
    for module, name in _public_names():
        value = getattr(module, name)
        if inspect.isclass(value):
            for base, method, function in _methods(value):
                if value.__name__ in INTERNAL_CLASSES and method != "__init__":
                    continue
                owner = value.__name__ if base.__module__ != value.__module__ else base.__name__
                found.setdefault("%s.%s" % (owner, method), parameters(function))
        elif inspect.isfunction(value):
            found["%s.%s" % (value.__module__.rpartition(".")[2], value.__name__)] = parameters(value)
    return dict((name, each) for name, each in found.items() if each and name not in INTERNAL)

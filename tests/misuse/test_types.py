"""Arguments that are none: InputError, which names the parameter, and nothing is sent."""

from __future__ import absolute_import, division, print_function

import importlib
import time

import pytest

import sipbridge
from misuse.objects import AUDIO, Objects
from misuse.table import ALSO_CALLED, MODULES, TABLE


@pytest.fixture(scope="module")
def sent():
    """What the endpoint has sent."""
    return []


@pytest.fixture(scope="module")
def objects(sent):
    with sipbridge.Endpoint(identity="sip:alice@127.0.0.1", trace=sent.append) as endpoint:
        yield Objects(endpoint)
    assert sent == []  # closing it had nothing to end


def _target(objects, name):
    """The function, bound to an object where it is a method."""
    owner, _, function = name.partition(".")
    if function == "__init__" or function == "__new__":
        return _constructor(owner)
    if owner[0].isupper():
        return getattr(objects.make(owner), function)
    module = next(each for each in MODULES if each.__name__.endswith("." + owner))
    return getattr(module, function)


def _constructor(owner):
    if owner == "Reason":
        return lambda **arguments: sipbridge.Reason(**arguments).value
    modules = (sipbridge,) + tuple(
        importlib.import_module("sipbridge." + name)
        for name in ("payload", "record", "hep", "headers", "access", "logs", "metrics")
    )
    return next(getattr(module, owner) for module in modules if hasattr(module, owner))


def _cases():
    for name, (_, parameters) in sorted(TABLE.items()):
        for parameter, bad in sorted(parameters.items()):
            if bad:
                yield pytest.param(name, parameter, bad, id="%s-%s" % (name, parameter))


def _says(error, parameter):
    """Whether a message names the parameter, in one way or another."""
    text = str(error)
    names = (parameter, parameter.strip("_").replace("_", " ")) + ALSO_CALLED.get(parameter, ())
    return any(name in text for name in names)


def _call(function, good, parameter, value):
    result = function(**dict(good, **{parameter: value}))
    if hasattr(result, "__next__") or hasattr(result, "next"):  # what is made when it is asked for
        list(result)
    return result


@pytest.mark.parametrize("name, parameter, bad", list(_cases()))
def test_a_wrong_type_is_an_input_error_that_names_the_parameter(objects, sent, name, parameter, bad):
    function, good = _target(objects, name), TABLE[name][0]
    for value in bad:
        before = time.time()
        with pytest.raises(sipbridge.InputError) as caught:
            _call(function, good, parameter, value)
            pytest.fail("%s took %s=%r" % (name, parameter, value))
        assert _says(caught.value, parameter), "%r: %s" % (value, caught.value)
        assert isinstance(caught.value, ValueError)
        assert time.time() - before < 20.0  # nobody was asked
    assert sent == []
    assert objects.Endpoint().calls == ()


def test_wrong_lines_of_a_medium_are_input_errors():
    for line in (5, u"ab", (u"a",), (u"ab", u"x"), (u"a", u"x\r\nb=y"), (5, u"x"), (u"a", 5)):
        with pytest.raises(sipbridge.InputError) as caught:
            AUDIO.with_lines(line)
        assert "lines" in str(caught.value)


def test_a_password_is_never_quoted(objects):
    for password in (u"hunter2\n", [u"hunter2"]):
        with pytest.raises(sipbridge.InputError) as caught:
            objects.Endpoint().add_credentials(u"alice", password)
        assert "hunter2" not in str(caught.value)

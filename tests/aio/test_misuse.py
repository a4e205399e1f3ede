"""sipbridge.aio refuses what sipbridge refuses, in the same words: each of its methods is the one of the same name."""

import inspect

import pytest

import sipbridge
from aio.loop import in_loop
from aio.test_calls import endpoint
from misuse.objects import Objects
from misuse.table import TABLE
from sipbridge import aio

FACADES = sorted(facade.__name__ for facade in aio._facade.FACADES.values())
METHODS = sorted(name for name in TABLE if name.partition(".")[0] in FACADES and not name.endswith("__"))


def test_each_aio_class_has_each_method_of_its_sync_class():
    for name in METHODS:
        owner, _, method = name.partition(".")
        assert callable(getattr(getattr(aio, owner), method)), name


async def _refused(function, arguments):
    with pytest.raises(sipbridge.InputError) as caught:
        result = function(**arguments)
        if inspect.isawaitable(result):
            await result
        pytest.fail("%r took %r" % (function, arguments))
    return str(caught.value)


@in_loop
async def test_wrong_types_raise_the_same_error_as_in_sipbridge():
    async with endpoint(identity="sip:alice@127.0.0.1") as phone:
        objects = Objects(phone._core)
        for name in METHODS:
            owner, _, method = name.partition(".")
            good, parameters = TABLE[name]
            for parameter, bad in sorted(parameters.items()):
                for value in bad:
                    function = getattr(aio._facade.wrapped(objects.make(owner)), method)
                    assert await _refused(function, dict(good, **{parameter: value})), name
        assert phone.calls == ()

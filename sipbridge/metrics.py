"""What an endpoint counts, for Prometheus. It needs prometheus_client: ``pip install sipbridge[metrics]``.

>>> with sipbridge.Endpoint("udp://192.0.2.7:5060") as phone, metrics.serve(phone, 9160):
...     phone.wait_closed()

:func:`serve` answers scrapes on a port of its own. In a program that exposes metrics already, :func:`register` adds
those of an endpoint to its registry. docs/watching.md has the table of them; its rows are :data:`FAMILIES`. No label
holds data of users: each has few values, and methods that SIP does not know are "other".

A scrape reads plain numbers. It waits for nothing but the worker of an endpoint that has one, half a second at most.
"""

from __future__ import absolute_import, division, print_function

import threading
import weakref

from sipbridge._agent import web
from sipbridge._agent.meter import FAMILIES as FAMILIES
from sipbridge._agent.meter import Family as Family
from sipbridge._agent.meter import attach, check_endpoint
from sipbridge._text.arguments import check_text
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Optional, Protocol, Tuple

    from sipbridge._agent.web import Server

    class Counted(Protocol):
        """An Endpoint, or one of sipbridge.aio."""

        @property
        def address(self):
            # type: () -> str
            raise NotImplementedError

    core = None  # type: Any
    exposition = None  # type: Any
    prometheus_client = None  # type: Any
else:
    try:
        import prometheus_client
        from prometheus_client import core, exposition
    except ImportError:
        prometheus_client = None

#: The label that tells endpoints apart. (In Kubernetes "endpoint" is that of a target.)
ENDPOINT = "sip_endpoint"


def require():
    # type: () -> None
    """Raise NotSupportedError, which tells what to install, when prometheus_client is missing."""
    if prometheus_client is None:
        raise NotSupportedError("metrics need prometheus_client: pip install sipbridge[metrics]")


class Collector(object):
    """The metrics of one endpoint or several, as a collector for a registry of prometheus_client.

    Args:
        endpoint: an Endpoint, or one of :mod:`sipbridge.aio`. It counts from now on.
        name: the value of the label "sip_endpoint"; None for the endpoint's address.

    A registry takes each metric from one collector only, so give further endpoints to :meth:`add`, or use
    :func:`register`. Raises NotSupportedError when prometheus_client is missing, and InputError.
    """

    def __init__(self, endpoint, name=None):
        # type: (Counted, Optional[str]) -> None
        require()
        self._lock = threading.Lock()
        self._meters = ()  # type: Tuple[Tuple[str, Any], ...]  # a name, and what gives the samples
        self.add(endpoint, name)

    def add(self, endpoint, name=None):
        # type: (Counted, Optional[str]) -> None
        """Count at this endpoint, too. Raises InputError, also when there is one of that name."""
        if name is not None:
            check_text(name, "name")
        check_endpoint(endpoint)
        label = endpoint.address if name is None else name
        with self._lock:
            if label in [each for each, _ in self._meters]:
                raise InputError("name: there is an endpoint %s already" % label)
            self._meters += ((label, attach(endpoint)),)

    def remove(self, name):
        # type: (str) -> None
        """Tell no more of the endpoint with that name, as of one that is closed. Raises InputError."""
        with self._lock:
            left = tuple(each for each in self._meters if each[0] != name)
            if len(left) == len(self._meters):
                raise InputError("name: there is no endpoint %r" % (name,))
            self._meters = left

    def describe(self):
        # type: () -> List[Any]
        """The families without samples: a registry looks at their names."""
        return [_empty(family) for family in FAMILIES]

    def collect(self):
        # type: () -> Iterator[Any]
        """The families with their samples at this moment."""
        told = [(name, samples()) for name, samples in self._meters]
        for family in FAMILIES:
            filled = _empty(family)
            for name, found in told:
                for labels, value in found.get(family.name.partition("_")[2], ()):
                    _fill(filled, family.kind, [name] + list(labels), value)
            if filled.samples:
                yield filled


def _empty(family):
    # type: (Family) -> Any
    """A family of prometheus_client. It adds _total to the name of a counter itself."""
    kinds = {
        "counter": core.CounterMetricFamily,
        "gauge": core.GaugeMetricFamily,
        "histogram": core.HistogramMetricFamily,
    }
    return kinds[family.kind](family.name, family.text, labels=[ENDPOINT] + list(family.labels))


def _fill(filled, kind, labels, value):
    # type: (Any, str, List[str], Any) -> None
    if kind == "histogram":
        filled.add_metric(labels, value.cumulated(), value.sum)
    else:
        filled.add_metric(labels, value)


# -- one collector for each registry --------------------------------------------------------------------------

_collectors = weakref.WeakKeyDictionary()  # type: weakref.WeakKeyDictionary[Any, Collector]
_lock = threading.Lock()


def register(endpoint, name=None, registry=None):
    # type: (Counted, Optional[str], Any) -> Collector
    """Add the metrics of an endpoint to a registry of prometheus_client; of several, each has a name of its own.

    Args:
        endpoint: an Endpoint, or one of :mod:`sipbridge.aio`.
        name: the value of the label "sip_endpoint"; None for the endpoint's address.
        registry: a CollectorRegistry; None for prometheus_client's default one.

    Returns the :class:`Collector`, which all endpoints of that registry share. Raises NotSupportedError when
    prometheus_client is missing, and InputError.
    """
    require()
    registry = prometheus_client.REGISTRY if registry is None else registry
    if not isinstance(registry, prometheus_client.CollectorRegistry):
        raise InputError("registry must be a CollectorRegistry, not %r" % (registry,))
    with _lock:
        collector = _collectors.get(registry)
        if collector is None:
            collector = Collector(endpoint, name)
            registry.register(collector)
            _collectors[registry] = collector
        else:
            collector.add(endpoint, name)
    return collector


def serve(endpoint, port, host="127.0.0.1", name=None):
    # type: (Counted, int, str, Optional[str]) -> Server
    """Serve the metrics of an endpoint at ``/metrics``, on threads of its own. Returns the server; close() ends it.

    Args:
        endpoint: an Endpoint, or one of :mod:`sipbridge.aio`.
        port: the TCP port; 0 lets the system choose one, which is the server's ``port``.
        host: the address to listen on: ``"0.0.0.0"`` or ``"::"`` for all of this machine's. Who reaches it may read.
        name: the value of the label "sip_endpoint"; None for the endpoint's address.

    With them come those that prometheus_client has of the process: memory, processor time, descriptors. Raises
    TransportError when the address cannot be used, NotSupportedError when prometheus_client is missing, and InputError.
    """
    require()
    web.check_place(port, host)
    registry = prometheus_client.CollectorRegistry()
    for kind in ("ProcessCollector", "PlatformCollector", "GCCollector"):
        getattr(prometheus_client, kind)(registry=registry)
    registry.register(Collector(endpoint, name))

    def page(accept):
        # type: (str) -> Tuple[int, str, bytes]
        encode, kind = exposition.choose_encoder(accept)
        return 200, kind, encode(registry)

    return web.Server({"/metrics": page}, port, host)

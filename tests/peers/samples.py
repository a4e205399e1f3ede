"""The samples of a registry of prometheus_client, for tests to look them up."""

from __future__ import absolute_import, division, print_function


class Samples(object):
    """What a collector tells at this moment."""

    def __init__(self, collector):
        self.families = list(collector.collect())
        #: By name and labels, the label "sip_endpoint" left out.
        self._values = {}
        for family in self.families:
            for sample in family.samples:
                self._values[self._key(sample[0], sample[1])] = sample[2]

    @staticmethod
    def _key(name, labels):
        return name, tuple(sorted(pair for pair in labels.items() if pair[0] != "sip_endpoint"))

    def get(self, name, **labels):
        """The value of ``sipbridge_<name>`` with these labels; None where there is no such sample."""
        return self._values.get(self._key("sipbridge_" + name, labels))

    def those(self, name):
        """The samples of a family that are not 0: labels, as a tuple of their values by name, and value."""
        return dict(
            (tuple(value for _, value in labels), number)
            for (found, labels), number in self._values.items()
            if found == "sipbridge_" + name and number
        )

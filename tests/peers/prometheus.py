"""Prometheus on a free port, with an example's configuration hurried up, and what it says of metrics and alerts."""

from __future__ import absolute_import, division, print_function

import io
import json
import os
import re
import shutil
import subprocess

try:
    from urllib.parse import quote
except ImportError:  # Python 2
    from urllib import quote

from peers.http import fetch
from peers.ports import HOST, free_port, wait_until_bound
from peers.process import Process, require
from peers.waiting import wait_until

#: The example's files.
EXAMPLE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "examples", "prometheus"
)

#: How often it scrapes and evaluates, in place of the example's 15 s.
INTERVAL = u"250ms"


def promtool(*arguments, **options):
    """Run ``promtool``, with text for its standard input; its exit code and all that it printed."""
    process = subprocess.Popen(
        [require("promtool")] + list(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = process.communicate(options.get("text", u"").encode("utf-8"))[0]
    return process.returncode, said.decode("utf-8")


class Prometheus(Process):
    """It scrapes one target, and has loaded the example's rules as they are.

    Args:
        folder: where its files go.
        target: "host:port", in place of the configuration's.
        configuration: the path of a prometheus.yml.
        rules: the paths of the files of rules that it names beside the example's own.
    """

    def __init__(self, folder, target, configuration=EXAMPLE + "/prometheus.yml", rules=()):
        with io.open(configuration, encoding="utf-8") as stream:
            text = stream.read()
        hurried, intervals = re.subn(u"(_interval:) 15s", u"\\1 " + INTERVAL, text)
        aimed, targets = re.subn(u'"[\\w.]+:\\d+"', u'"%s"' % target, hurried)
        assert (intervals, targets) == (2, 1), text
        with io.open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as stream:
            stream.write(aimed)
        for path in (EXAMPLE + "/sipbridge.rules.yml",) + tuple(rules):
            shutil.copy(path, folder)
        self._port = free_port()
        command = [
            require("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            "--web.listen-address=%s:%d" % (HOST, self._port),
        ]  # fmt: skip
        super(Prometheus, self).__init__(command, folder, "prometheus")
        assert wait_until_bound(self._port, self.is_alive, transport="tcp"), self.output()
        wait_until(lambda: fetch("http://%s:%d/-/ready" % (HOST, self._port)).status == 200, 30.0)

    def report(self):
        """What it logged, for a failure."""
        return self.output()[-3000:]

    def _ask(self, path):
        page = fetch("http://%s:%d/api/v1/%s" % (HOST, self._port, path))
        assert page.status == 200, page
        return json.loads(page.body)["data"]

    def query(self, expression):
        """The values of an expression now, each a float; [] when there are none (yet)."""
        return [float(each["value"][1]) for each in self._ask("query?query=" + quote(expression))["result"]]

    def rules(self):
        """The names of the rules that it has loaded, and of each what went wrong with it, or ""."""
        return dict((each["name"], each.get("lastError", "")) for group in self._ask("rules")["groups"]
                    for each in group["rules"])  # fmt: skip

    def firing(self):
        """The names of the alerts that fire."""
        alerts = self._ask("alerts")["alerts"]
        return sorted(each["labels"]["alertname"] for each in alerts if each["state"] == "firing")

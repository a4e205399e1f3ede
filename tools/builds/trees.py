"""Built copies of the package to test: for each Python one with the libraries of this machine, and one whose
exosip engine is built on the checking double of libeXosip2 (tests/double).
"""

import json
import os
import re
import shutil

from tools.builds.environment import BUILD, ROOT, Stamp, run

DOUBLE = ROOT / "tests" / "double"

#: What changes the objects without changing a file: where the compiler looks.
VARIABLES = "CC CFLAGS CPPFLAGS LDFLAGS C_INCLUDE_PATH CPATH LIBRARY_PATH PKG_CONFIG_PATH".split()


#: The objects of csrc that all trees share: no Python and no tree has its own.
KEPT = BUILD / "objects" / "kept"

#: The versions of libeXosip2 that the double plays, and where each is built. All tests run on the first.
MAIN_DOUBLE = "3.6"
DOUBLES = {"3.6": BUILD / "double", "3.3": BUILD / "double-3.3", "5.3": BUILD / "double-5.3"}


class Tree:
    """A folder that holds the built package.

    Attributes:
        folder: what PYTHONPATH names.
        variables: the environment that it is built in, on top of this one.
        double: where the double is that it is built on, or None.
    """

    def __init__(self, python, version, kind, variables=None, double=None):
        self.python = python
        self.double = double
        self.folder = BUILD / "trees" / ("%s-%s" % (version, kind))
        self.objects = BUILD / "objects" / ("%s-%s" % (version, kind))
        self.variables = dict(variables or {}, SIPBRIDGE_OBJECTS=str(KEPT))

    def build(self):
        """Compile what changed and copy the rest."""
        settings = dict(os.environ, **self.variables)
        stamp = Stamp(self.objects / "made-with", *(settings.get(name, "") for name in VARIABLES))
        if not stamp.fits():
            for folder in (self.folder, self.objects):
                shutil.rmtree(str(folder), ignore_errors=True)
            self.objects.mkdir(parents=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        for source in self.folder.glob("sipbridge/**/*.py*"):
            source.unlink()  # the module may be gone from the sources
        command = [self.python, "setup.py", "-q", "build", "--build-base", self.objects]
        output = run(command + ["--build-lib", self.folder], **self.variables)
        # Programs that the tests start import it too: hundreds of them.
        run([self.python, "-m", "compileall", "-q", self.folder])
        stamp.write()
        self._drop_others(re.findall(r"^engines: (.*)$", output, re.MULTILINE)[0].split(", "))

    def _drop_others(self, built):
        """Remove the engines of an earlier build whose library is gone, and see that the others load."""
        for module in self.folder.glob("sipbridge/_*.so"):
            if module.name.split(".")[0][1:] not in built + ["shield"]:
                module.unlink()
        missing = set(built).difference(self.engines())
        if missing:
            code = "; ".join("import sipbridge._" + engine for engine in sorted(missing))
            run([self.python, "-c", code], cwd=self.folder, PYTHONPATH=str(self.folder))  # tells why

    def engines(self):
        """The engines that load from it: a dict of name and the library's version."""
        code = "import json, sipbridge; print(json.dumps(sipbridge.engines()))"
        return json.loads(run([self.python, "-c", code], cwd=self.folder, PYTHONPATH=str(self.folder)))


def native(python, version):
    """A tree with every engine whose library is installed."""
    return Tree(python, version, "native")


def double(python, version, place):
    """A tree with the exosip engine on the double that :func:`build_double` made."""

    def first(path, name):
        return os.pathsep.join([str(path)] + [old for old in [os.environ.get(name)] if old])

    library = place / "lib"
    variables = {
        "SIPBRIDGE_ENGINES": "exosip",
        "C_INCLUDE_PATH": first(place / "include", "C_INCLUDE_PATH"),
        "LIBRARY_PATH": first(library, "LIBRARY_PATH"),
        "LDFLAGS": "-Wl,-rpath,%s %s" % (library, os.environ.get("LDFLAGS", "")),
        "PKG_CONFIG": "false",  # it may know a real libeXosip2
    }
    return Tree(python, version, place.name, variables, place)


def build_double(line=MAIN_DOUBLE):
    """Compile the double of a libeXosip2, a key of DOUBLES; the folder with its include and lib."""
    place = DOUBLES[line]
    run(["make", "-C", DOUBLE, "BUILD=%s" % place, "LINE=%s" % line])
    return place

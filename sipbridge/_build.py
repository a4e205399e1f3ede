"""How the extension modules are built: one for each engine whose library is on this machine.

For setup.py alone; it is not part of the installed package. What a module offers is declared once, in
csrc/contract/engine.h: the C files include it and cffi reads its declarations from it.

Environment:
    SIPBRIDGE_ENGINES: the engines to build ("sofia", "exosip" or "sofia,exosip"); one that is missing is then
        an error. Default: those that are found.
    CC, CFLAGS, CPPFLAGS, LDFLAGS, PKG_CONFIG, PKG_CONFIG_PATH and the compiler's own C_INCLUDE_PATH and
        LIBRARY_PATH mean what they always do.
"""

from __future__ import absolute_import, division, print_function

import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

    #: What to give the compiler, and what to give the linker.
    Flags = Tuple[List[str], List[str]]

#: Relative, as setuptools wants its sources: setup.py runs in the top folder.
SOURCES = "csrc"

COMPILE_ARGS = ["-std=c99", "-D_GNU_SOURCE", "-fvisibility=hidden", "-Wall", "-Wextra"]

#: The layers: the folders of csrc, and those besides itself that each may include headers of. Every file is compiled
#: with these folders alone to look in, so that it cannot.
LAYERS = {
    "contract": ("core", "shield/check", "shield/process"),
    "core": ("contract",),
    "dns": ("core", "contract"),
    "sofia": ("core", "contract"),
    "exosip": ("dns", "core", "contract"),
    "shield/check": (),
    "shield/process": ("shield/check",),
}  # type: Dict[str, Tuple[str, ...]]

#: What every engine consists of besides its own folder, and what that may include.
SHARED = ("contract", "core", "shield/check")

#: What is preloaded in front of a library, and is no engine.
SHIELD = "sipbridge._shield"
SHIELD_LAYERS = ("shield/check", "shield/process")

#: In each folder that uses a library: the program that tries the library. It is part of no engine.
PROBE = "probe.c"

#: Python 2.7 does not export a module's init function by itself.
PREAMBLE = """
#include "engine.h"
#if PY_MAJOR_VERSION < 3
__attribute__((visibility("default"))) void init{module}(void);
#endif
"""

ABSENT = """no SIP library was found to build an engine on:
{reasons}
Install one:
    Debian, Ubuntu:  apt-get install libsofia-sip-ua-dev
    Fedora:          dnf install sofia-sip-devel
    macOS:           brew install sofia-sip
or run sipbridge in its image, which carries libeXosip2: see Dockerfile.ubuntu1204. (The libexosip2-dev of today's
systems is 5.x, with which sipbridge was never run. The engine on libeXosip2 needs libc-ares-dev, too.)"""


UNFIT = """{complaint}
    The headers and libraries of one installation have to be found together; name its folders:
    C_INCLUDE_PATH=DIR/include LIBRARY_PATH=DIR/lib LDFLAGS=-Wl,-rpath,DIR/lib"""


class Library(namedtuple("Library", "layer package header libraries folders needs options")):
    """Where an engine's library shows: in pkg-config as ``package``, to the compiler as ``header`` (perhaps
    in one of ``folders`` below an include directory), to the linker as ``libraries``. ``layer``: the folder of csrc
    that uses it; an engine's has the engine's name. ``needs``: another one that the engine itself is built on, or None.
    ``options`` are names that only some versions of the library declare, as macros or in an enumeration: see
    :func:`declared`.
    """

    __slots__ = ()

    @property
    def engine(self):
        # type: () -> str
        layer = self.layer  # type: str
        return layer


#: What asks DNS for the engine on libeXosip2.
CARES = Library("dns", "libcares", "ares.h", ["cares"], [], None, [])

#: The engines there are. A new one: a line here, and the folder csrc/<name>.
LIBRARIES = (
    Library("sofia", "sofia-sip-ua", "sofia-sip/nta.h", ["sofia-sip-ua"], ["sofia-sip-1.12"], None, []),
    Library(
        "exosip",
        "libeXosip2",
        "eXosip2/eXosip.h",
        ["eXosip2", "osip2", "osipparser2"],
        [],
        CARES,
        ["EXOSIP_OPT_DONT_SEND_101", "EXOSIP_OPT_UDP_KEEP_ALIVE", "EXOSIP_OPT_DNS_CAPABILITIES"],
    ),
)

#: A program that compiles where a header declares an option. The first lines are what libeXosip2's headers lack.
NAMES_OPTION = """
#include <sys/types.h>
#include <time.h>
#include <%s>
int main(void) { return (int)%s; }
"""

#: No exit status of a program's.
CANNOT_RUN = 1000

#: Where libraries are that neither pkg-config nor the compiler knows of: an administrator's, Homebrew's.
PREFIXES = ("/usr", "/usr/local", "/opt/homebrew", "/opt/local")


class Absent(Exception):
    """A library that is needed is not here; the text is for the user."""


class Unfit(Absent):
    """It is here, but what was found of it does not work together."""


def module_name(engine):
    # type: (str) -> str
    """The extension module of an engine."""
    return "sipbridge._" + engine


def sources(engine):
    # type: (str) -> List[str]
    """The C files of an engine."""
    return _files_of(SHARED + (engine,) + LAYERS[engine])


def shield_sources():
    # type: () -> List[str]
    """The C files of the preloaded shield."""
    return _files_of(SHIELD_LAYERS)


def _files_of(layers):
    # type: (Iterable[str]) -> List[str]
    files = []  # type: List[str]
    for layer in sorted(set(layers)):
        files += sorted(glob.glob(os.path.join(SOURCES, layer, "*.c")))
    return [name for name in files if os.path.basename(name) != PROBE]


def probe(layer):
    # type: (str) -> str
    """The C file of the program that tries the library which a layer uses."""
    return os.path.join(SOURCES, layer, PROBE)


def headers():
    # type: () -> List[str]
    """What every object file depends on."""
    return sorted(name for layer in LAYERS for name in glob.glob(os.path.join(SOURCES, layer, "*.h")))


def include_flags(source):
    # type: (str) -> List[str]
    """The flags with which one C file is compiled: where it may look for headers.

    -iquote, so that no header of ours stands in for the system's of the same name (search.h, values.h).
    """
    top, layer = _layer_of(source)
    if layer not in LAYERS:
        return _quoted(top, ["contract"])  # what cffi writes
    return _quoted(top, (layer,) + LAYERS[layer])


def all_include_flags(sources):
    # type: (Iterable[str]) -> List[str]
    """The same for many files in one command, which cannot hold each to its layer."""
    places = [_layer_of(source) for source in sources]
    layers = {layer for _, layer in places}.union(*(LAYERS[layer] for _, layer in places))
    return _quoted(places[0][0], sorted(layers))


def _layer_of(source):
    # type: (str) -> Tuple[str, str]
    top, _, rest = source.rpartition(SOURCES + os.sep)
    layer = os.path.dirname(rest).replace(os.sep, "/")
    return (top if layer in LAYERS else "") + SOURCES, layer


def _quoted(top, layers):
    # type: (str, Iterable[str]) -> List[str]
    return [flag for layer in layers for flag in ("-iquote", os.path.join(top, layer))]


def declarations():
    # type: () -> str
    """The contract without its preprocessor lines, which cffi does not read."""
    with open(os.path.join(SOURCES, "contract", "engine.h")) as contract:
        return "".join(line for line in contract if not line.startswith("#"))


def write_module(engine, path):
    # type: (str, str) -> None
    """Write the C source of an engine's extension module, unless it is there and the same."""
    from cffi import FFI

    name = module_name(engine)
    builder = FFI()
    builder.cdef(declarations())
    builder.set_source(name, PREAMBLE.format(module=name.split(".")[-1]))
    builder.emit_c_code(path)


# -- which engines -----------------------------------------------------------------------------------------


def find():
    # type: () -> Dict[str, Flags]
    """The engines to build: a dict of name and compiler flags. Raises :class:`Absent`.

    One that nobody named is left out where its library is missing; where it does not work, that is said.
    """
    names = [library.engine for library in LIBRARIES]
    wanted = os.environ.get("SIPBRIDGE_ENGINES", "").replace(",", " ").split()
    unknown = set(wanted).difference(names)
    if unknown:
        raise Absent(
            "SIPBRIDGE_ENGINES names %s; there are %s" % (", ".join(sorted(unknown)), ", ".join(names))
        )
    found, reasons = {}, []
    for library in LIBRARIES:
        if wanted and library.engine not in wanted:
            continue
        try:
            found[library.engine] = locate(library)
        except Absent as error:
            reasons.append("    %s: %s" % (library.engine, error))
            if isinstance(error, Unfit) and not wanted:
                sys.stderr.write("left out: %s: %s\n" % (library.engine, error))
    if not found or (wanted and reasons):
        raise Absent(ABSENT.format(reasons="\n".join(reasons)))
    return found


def locate(library):
    # type: (Library) -> Flags
    """The flags (compile, link: two lists) with which a program that uses the library builds.

    pkg-config's if it knows the library, else those of the usual places; and those of what it needs. Raises
    :class:`Absent` with the compiler's complaint, or :class:`Unfit` with what the program said when it ran.
    """
    problem = None  # type: Optional[Absent]
    for compile_args, link_args in _candidates(library):
        try:
            compile_args = compile_args + declared(library, compile_args)
            _try(library, compile_args, link_args)
            if library.needs is None:
                return compile_args, link_args
            needed = locate(library.needs)
            return compile_args + needed[0], link_args + needed[1]
        except Unfit as error:
            problem = error
        except Absent as error:
            problem = problem or error
    assert problem is not None  # there is at least one candidate
    raise problem


def declared(library, compile_args):
    # type: (Library, List[str]) -> List[str]
    """Flags that say of each of the library's options whether its headers declare it: -DSB_HAS_<option>=1 or 0.

    A program that names the option is compiled: the preprocessor knows nothing of an enumeration.
    """
    flags = []
    folder = tempfile.mkdtemp(prefix="sipbridge-probe-")
    try:
        source = os.path.join(folder, "option.c")
        command = _compiler() + COMPILE_ARGS + compile_args + ["-fsyntax-only", source]
        for option in library.options:
            with open(source, "w") as program:
                program.write(NAMES_OPTION % (library.header, option))
            flags.append("-DSB_HAS_%s=%d" % (option, _run(command)[0] == 0))
    finally:
        shutil.rmtree(folder)
    return flags


def _candidates(library):
    # type: (Library) -> Iterator[Flags]
    packaged = _pkg_config(library.package)
    if packaged:
        yield packaged
    link = ["-l" + name for name in library.libraries]
    yield [], link
    for prefix in PREFIXES:
        for folder in [""] + library.folders:
            include = os.path.join(prefix, "include", folder).rstrip(os.sep)
            if os.path.exists(os.path.join(include, library.header)):
                yield ["-I" + include], ["-L" + os.path.join(prefix, "lib")] + link


def _run(command):
    # type: (Sequence[str]) -> Tuple[int, str]
    """Exit status and all that a command printed; CANNOT_RUN when it is missing, or made for another machine."""
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
        )
    except OSError as error:
        return CANNOT_RUN, "%s: %s" % (command[0], error.strerror)
    output = process.communicate()[0]
    return process.returncode, output.strip()


def _pkg_config(package):
    # type: (str) -> Optional[Flags]
    """(compile flags, link flags), or None when pkg-config is missing or does not know the package."""
    found = []
    for option in ("--cflags", "--libs"):
        status, output = _run([os.environ.get("PKG_CONFIG", "pkg-config"), option, package])
        if status:
            return None
        found.append(shlex.split(output))
    return found[0], found[1]


def _try(library, compile_args, link_args):
    # type: (Library, List[str], List[str]) -> None
    """Compile, link and run the program that uses the library. Raises Absent or Unfit."""
    folder = tempfile.mkdtemp(prefix="sipbridge-probe-")
    try:
        top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        source, program = os.path.join(top, probe(library.layer)), os.path.join(folder, "probe")
        command = _compiler() + COMPILE_ARGS + compile_args + include_flags(source)
        command += [source, "-o", program]
        command += shlex.split(os.environ.get("LDFLAGS", "")) + link_args
        status, output = _run(command)
        if status:
            said = ("undefined reference", "cannot find", "error")
            errors = [line for line in output.splitlines() if any(words in line for words in said)]
            complaint = (errors or output.splitlines() or ["the compiler failed"])[0]
            raise Absent(complaint.replace(os.path.dirname(source) + os.sep, ""))
        status, output = _run([program])
    finally:
        shutil.rmtree(folder)
    if status and status != CANNOT_RUN:
        complaint = output.splitlines()[0] if output else "a program with it ends with %d" % status
        raise Unfit(UNFIT.format(complaint=complaint.replace(program + ": ", "")))


def _compiler():
    # type: () -> List[str]
    """The C compiler as setuptools will call it: command and flags."""
    from distutils.ccompiler import new_compiler
    from distutils.sysconfig import customize_compiler

    compiler = new_compiler()  # type: Any
    customize_compiler(compiler)
    return list(compiler.compiler)

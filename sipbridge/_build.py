"""Build the extension modules: one for each engine whose library is on this machine.

setup.py alone uses this; it is not installed. csrc/contract/engine.h declares what each module offers. The C files
include that header, and cffi reads the declarations from it.

Environment:
    SIPBRIDGE_ENGINES: the engines to build ("sofia", "exosip" or "sofia,exosip"). The build fails when one of them
        cannot be built. "none": no engine and no shield, for a package whose engines run elsewhere. Default: each
        engine that can be built here.
    CC, CFLAGS, CPPFLAGS, LDFLAGS, PKG_CONFIG, PKG_CONFIG_PATH, C_INCLUDE_PATH and LIBRARY_PATH mean what they
        mean to the C compiler and to pkg-config.
    SIPBRIDGE_OBJECTS: a folder for the objects of csrc, for builds of the same sources with several Pythons: each is
        compiled once. Default: each build compiles everything.
"""

from __future__ import absolute_import, division, print_function

import glob
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

    #: The flags for the compiler, and those for the linker.
    Flags = Tuple[List[str], List[str]]

#: A relative path, because setuptools refuses absolute ones for sources. setup.py runs in the top folder.
SOURCES = "csrc"

COMPILE_ARGS = ["-std=c99", "-D_GNU_SOURCE", "-fvisibility=hidden", "-Wall", "-Wextra"]

#: The layers. Each is a folder of csrc, with the other folders whose headers it may include. The compiler gets these
#: folders alone as include folders, so it finds no other header.
LAYERS = {
    "contract": ("core", "shield/check", "shield/process"),
    "core": ("contract",),
    "dns": ("core", "contract"),
    "sofia": ("core", "contract"),
    "exosip": ("dns", "core", "contract"),
    "shield/check": (),
    "shield/process": ("shield/check",),
}  # type: Dict[str, Tuple[str, ...]]

#: The folders that each engine is made of, besides its own and those that its own may include.
SHARED = ("contract", "core", "shield/check")

#: The layers that use no library but C's.
WITHOUT_LIBRARY = ("contract", "core", "shield/check", "shield/process")

#: The shared library to preload in front of libeXosip2. It is no engine.
SHIELD = "sipbridge._shield"
SHIELD_LAYERS = ("shield/check", "shield/process")

#: Each folder that uses a library has this program, which tries the library. No engine contains it.
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
or build it without engines, for those that run elsewhere: SIPBRIDGE_ENGINES=none (docs/places.md);
or run sipbridge in its image, which carries libeXosip2: see Dockerfile.ubuntu1204. (The libexosip2-dev of your system
will do if it is 5.3, or 3.6 or 3.3. The engine on libeXosip2 needs libc-ares-dev, too.)"""


UNFIT = """{complaint}
    The headers and libraries of one installation have to be found together; name its folders:
    C_INCLUDE_PATH=DIR/include LIBRARY_PATH=DIR/lib LDFLAGS=-Wl,-rpath,DIR/lib"""


class Library(namedtuple("Library", "layer package header libraries folders needs options")):
    """A C library, and how to find it.

    Attributes:
        layer: the folder of csrc that uses it. An engine's folder has the engine's name.
        package: its name for pkg-config.
        header: a header of it, as C code includes it.
        libraries: the names for the linker.
        folders: folders below an include directory in which the header may be.
        needs: another Library that the engine uses, or None.
        options: names that only some versions declare, as macros or in an enumeration; see :func:`declared`.
    """

    __slots__ = ()

    @property
    def engine(self):
        # type: () -> str
        layer = self.layer  # type: str
        return layer


#: The resolver of the engine on libeXosip2.
CARES = Library("dns", "libcares", "ares.h", ["cares"], [], None, [])

#: The libraries of the engines. For a new engine, add its library here and the folder csrc/<name>.
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

#: A program that compiles only if a header declares an option. libeXosip2's headers need the first two includes.
NAMES_OPTION = """
#include <sys/types.h>
#include <time.h>
#include <%s>
int main(void) { return (int)%s; }
"""

#: In place of an exit status: the program could not run. No program exits with this number.
CANNOT_RUN = 1000

#: Places of libraries that neither pkg-config nor the compiler may know: those of an administrator, of Homebrew.
PREFIXES = ("/usr", "/usr/local", "/opt/homebrew", "/opt/local")


class Absent(Exception):
    """A library that is needed is missing. The text is for the user."""


class Unfit(Absent):
    """A library is here, but its headers and libraries do not fit together."""


def pure():
    # type: () -> bool
    """True when nothing is to be compiled."""
    return os.environ.get("SIPBRIDGE_ENGINES", "").strip() == "none"


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
    """The compiler flags that give one C file the folders of its headers.

    They are -iquote and not -I, because some of these headers are called like the system's (search.h, values.h).
    """
    top, layer = _layer_of(source)
    if layer not in LAYERS:
        return _quoted(top, ["contract"])  # cffi wrote this file
    return _quoted(top, (layer,) + LAYERS[layer])


def flags_of(source, library_flags):
    # type: (str, Sequence[str]) -> List[str]
    """The compiler flags of one C file: only a layer that uses a library gets the flags of the library."""
    layer = _layer_of(source)[1]
    return (COMPILE_ARGS if layer in WITHOUT_LIBRARY else list(library_flags)) + include_flags(source)


def compile_once(source, flags, target, make):
    # type: (str, Sequence[str], str, Callable[[], None]) -> None
    """Compile a C file to the object ``target`` by calling make(), unless SIPBRIDGE_OBJECTS has the object already.

    The flags that a Python adds do not count: csrc knows nothing of Python. What cffi wrote is always compiled.
    """
    folder, layer = os.environ.get("SIPBRIDGE_OBJECTS"), _layer_of(source)[1]
    if not folder or layer not in LAYERS:
        make()
        return
    names = ["CC", "CFLAGS", "CPPFLAGS"] + ([] if layer in WITHOUT_LIBRARY else ["C_INCLUDE_PATH", "CPATH"])
    values = [os.environ.get(name, "") for name in names]
    includes = [path for value in values[3:] for path in value.split(os.pathsep) if path]
    others = sorted(path for folder in includes for path in glob.glob(os.path.join(folder, "*", "*.h")))
    files = [source] + headers() + others
    kept = os.path.join(folder, _digest(values + list(flags), files) + ".o")
    if not os.path.exists(kept):
        make()
        shutil.copyfile(target, kept + ".new")
        os.rename(kept + ".new", kept)
    else:
        if not os.path.isdir(os.path.dirname(target)):
            os.makedirs(os.path.dirname(target))
        shutil.copyfile(kept, target)


def _digest(texts, files):
    # type: (Iterable[str], Iterable[str]) -> str
    content = hashlib.sha256("\0".join(texts).encode("utf-8"))
    for path in files:
        with open(path, "rb") as stream:
            content.update(b"\0" + stream.read())
    return content.hexdigest()


def all_include_flags(sources):
    # type: (Iterable[str]) -> List[str]
    """The flags for many C files in one command: the folders of all of them together."""
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
    """The contract without its preprocessor lines, which cffi cannot read."""
    with open(os.path.join(SOURCES, "contract", "engine.h")) as contract:
        return "".join(line for line in contract if not line.startswith("#"))


def write_module(engine, path):
    # type: (str, str) -> None
    """Write the C source of an engine's extension module, unless the file has this content already."""
    from cffi import FFI

    name = module_name(engine)
    builder = FFI()
    builder.cdef(declarations())
    builder.set_source(name, PREAMBLE.format(module=name.split(".")[-1]))
    builder.emit_c_code(path)


# -- which engines -----------------------------------------------------------------------------------------


def find():
    # type: () -> Dict[str, Flags]
    """The engines to build: a dict of name and flags (compile, link).

    When SIPBRIDGE_ENGINES names none, an engine whose library is missing or does not work is left out, and a line on
    standard error says so. Raises :class:`Absent` when no engine, or not each named one, can be built.
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
            if not wanted:
                sys.stderr.write("left out: %s: %s\n" % (library.engine, error))
    if not found or (wanted and reasons):
        raise Absent(ABSENT.format(reasons="\n".join(reasons)))
    return found


def locate(library):
    # type: (Library) -> Flags
    """The flags (compile, link: two lists) with which a program that uses the library builds and runs.

    It tries the flags of pkg-config first, then the usual places, and adds the flags of the library that this one
    needs. Raises :class:`Absent` with the compiler's complaint, or :class:`Unfit` with the output of the program.
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
    """One flag for each option of the library: -DSB_HAS_<option>=1 when its headers declare the option, else 0.

    It compiles a program that names the option, because #ifdef does not see the constants of an enumeration.
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
    """The exit status and the output of a command; CANNOT_RUN when it is missing or made for another machine."""
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
    """The command and flags with which setuptools will call the C compiler."""
    from distutils.ccompiler import new_compiler
    from distutils.sysconfig import customize_compiler

    compiler = new_compiler()  # type: Any
    customize_compiler(compiler)
    return list(compiler.compiler)

"""Which libraries setup.py takes for an engine (sipbridge/_build.py): a program on them is compiled, linked and run.
The libeXosip2 and libosip2 are stand-ins with what that program calls.
"""

import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]

HEADER = """
typedef struct { int size; } osip_list_t;
typedef struct { char *number, *method; } osip_cseq_t;
typedef struct { char *number, *host; } osip_call_id_t;
typedef struct {
    %s
    char *sip_method;
    osip_cseq_t *cseq;
    osip_call_id_t *call_id;
    osip_list_t contacts, headers, bodies;
} osip_message_t;
int osip_list_size(const osip_list_t *list);
int parser_init(void);
int osip_message_init(osip_message_t **message);
int osip_message_parse(osip_message_t *message, const char *text, unsigned long length);
const char *eXosip_get_version(void);
"""

PARSER = """
#include <stdlib.h>
#include <eXosip2/eXosip.h>
static osip_cseq_t cseq = {"7", "OPTIONS"};
static osip_call_id_t call_id = {"probe", "192.0.2.1"};
int osip_list_size(const osip_list_t *list) { return list->size; }
int parser_init(void) { return 0; }
int osip_message_init(osip_message_t **message) { *message = calloc(1, 512); return 0; }
int osip_message_parse(osip_message_t *message, const char *text, unsigned long length)
{
    (void)text, (void)length;
    message->sip_method = "OPTIONS";
    message->cseq = &cseq;
    message->call_id = &call_id;
    message->contacts.size = message->headers.size = 1;
    return 0;
}
"""

LIBRARY = 'void osip_anything(void); void *used = osip_anything; const char *eXosip_get_version(void) { return "%s"; }'


#: How the versions declare their options, and the others that one has.
OPTIONS = {
    "3.3": "enum { EXOSIP_OPT_UDP_KEEP_ALIVE = 1, EXOSIP_OPT_DONT_SEND_101 = 6 };\n",
    "3.6": "\n#define EXOSIP_OPT_UDP_KEEP_ALIVE 1\n#define EXOSIP_OPT_DONT_SEND_101 6\n"
    "#define EXOSIP_OPT_DNS_CAPABILITIES 14\n",
    "5.3": "\n#define EXOSIP_OPT_UDP_KEEP_ALIVE 1\n#define EXOSIP_OPT_AUTO_MASQUERADE_CONTACT 2\n"
    "#define EXOSIP_OPT_DNS_CAPABILITIES 14\n",
}


class Installation:
    """A folder with the headers and libraries of a libeXosip2. ``headers`` is a key of OPTIONS."""

    def __init__(self, folder, member="", version="3.6.0", osip="6", headers="3.6"):
        self.include, self.lib = folder / "include", folder / "lib"
        (self.include / "eXosip2").mkdir(parents=True)
        self.lib.mkdir()
        (self.include / "eXosip2" / "eXosip.h").write_text(HEADER % member + OPTIONS[headers])
        self._library("osipparser2", osip, PARSER)
        self._library("osip2", osip, "void osip_anything(void) { }")
        self._library("eXosip2", "9", LIBRARY % version, "-Wl,--no-as-needed", "-losip2", "-losipparser2")

    def _library(self, name, number, text, *options):
        source = self.lib / (name + ".c")
        source.write_text(text)
        target = self.lib / ("lib%s.so.%s" % (name, number))
        command = ["cc", "-shared", "-fPIC", "-I", self.include, source, "-o", target, "-L", self.lib]
        command += ["-Wl,-soname," + target.name, "-Wl,-rpath,%s" % self.lib]
        subprocess.run(command + list(options), check=True)
        (self.lib / ("lib%s.so" % name)).symlink_to(target.name)


@pytest.fixture
def locate():
    """What setup.py finds of the exosip engine's library: a function of headers' and libraries' folders, and what
    else the environment says. Returns "fits", or why not."""
    code = "import _build; print('fits' if _build.find() else '')"

    def find(include, *libs, rpath=True, **variables):
        paths = os.pathsep.join(str(lib) for lib in libs)
        settings = dict(os.environ, PYTHONPATH=str(TOP / "sipbridge"), SIPBRIDGE_ENGINES="exosip")
        settings.update(C_INCLUDE_PATH=str(include), LIBRARY_PATH=paths, PKG_CONFIG="false")
        settings["LDFLAGS"] = " ".join("-Wl,-rpath,%s" % lib for lib in libs) if rpath else ""
        settings.update(variables)
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60)
        return result.stdout.strip() or result.stderr

    return find


def test_one_installation_fits(tmp_path, locate):
    one = Installation(tmp_path)
    assert locate(one.include, one.lib) == "fits"


def test_two_libosip2_at_once_are_refused(tmp_path, locate):
    one, other = Installation(tmp_path / "one"), Installation(tmp_path / "other", osip="15")
    (one.lib / "libosip2.so").unlink()  # as without its development files: the linker takes the other's
    complaint = locate(one.include, one.lib, other.lib)
    assert "two libosip2 at once" in complaint
    assert "libosip2.so.6" in complaint and "libosip2.so.15" in complaint
    assert "LIBRARY_PATH=DIR/lib" in complaint


def test_headers_of_another_libosip2_are_refused(tmp_path, locate):
    one, other = Installation(tmp_path / "one"), Installation(tmp_path / "other", "int more; char *text;")
    assert "headers are those of another libosip2" in locate(other.include, one.lib)
    assert "headers are those of another libosip2" in locate(one.include, other.lib)


def test_headers_of_another_libexosip2_are_refused(tmp_path, locate):
    one = Installation(tmp_path, version="5.3.0")
    assert "the headers are of libeXosip2 3.6, the library is 5.3.0" in locate(one.include, one.lib)


@pytest.mark.parametrize(
    "version, headers",
    [("3.6.0", "3.6"), ("3.6.0-4", "3.6"), ("3.3.0", "3.3"), ("3.3.1", "3.3"), ("5.3.0", "5.3")],
)
def test_versions_that_were_tested_are_accepted(tmp_path, locate, version, headers):
    one = Installation(tmp_path, version=version, headers=headers)
    assert locate(one.include, one.lib) == "fits"


@pytest.mark.parametrize(
    "version, headers",
    [
        ("3.1.0", "3.3"),
        ("3.2.0", "3.3"),
        ("3.4.0", "3.6"),
        ("3.5.0", "3.6"),
        ("3.30.0", "3.3"),
        ("4.0.0", "3.6"),  # whose headers are like these
        ("4.1.0", "3.6"),
        ("5.0.0", "5.3"),
        ("5.1.1", "5.3"),
        ("5.2.0", "5.3"),
        ("5.30.0", "5.3"),
    ],
)
def test_versions_that_were_never_tested_are_refused(tmp_path, locate, version, headers):
    one = Installation(tmp_path, version=version, headers=headers)
    complaint = locate(one.include, one.lib)
    assert "sipbridge was run with libeXosip2 3.3, 3.6 and 5.3 alone, and this is %s" % version in complaint


@pytest.mark.parametrize(
    "version, headers", [("3.3.0", "3.6"), ("3.6.0", "3.3"), ("5.3.0", "3.3"), ("3.6.0", "5.3")]
)
def test_headers_of_another_version_are_refused(tmp_path, locate, version, headers):
    """3.3 and 3.6 have the same name, and their options other numbers."""
    one = Installation(tmp_path, version=version, headers=headers)
    assert "the headers are of libeXosip2 %s, the library is %s" % (headers, version) in locate(
        one.include, one.lib
    )


@pytest.mark.parametrize("headers, silent, dns", [("3.3", 1, 0), ("3.6", 1, 1), ("5.3", 0, 1)])
def test_options_are_found_as_macros_and_in_an_enumeration(tmp_path, headers, silent, dns):
    one = Installation(tmp_path, headers=headers)
    code = "import _build; print(*_build.declared(_build.LIBRARIES[1], ['-I', %r]))" % str(one.include)
    settings = dict(os.environ, PYTHONPATH=str(TOP / "sipbridge"))
    output = subprocess.check_output([sys.executable, "-c", code], env=settings, text=True)
    found = dict(each.replace("-DSB_HAS_EXOSIP_OPT_", "").split("=") for each in output.split())
    assert found == {"DONT_SEND_101": str(silent), "UDP_KEEP_ALIVE": "1", "DNS_CAPABILITIES": str(dns)}


def test_libraries_that_the_loader_does_not_find_are_named(tmp_path, locate):
    one = Installation(tmp_path)
    complaint = locate(one.include, one.lib, rpath=False)
    assert "cannot open shared object file" in complaint and "LDFLAGS=-Wl,-rpath,DIR/lib" in complaint


def test_without_headers_the_compiler_is_quoted(tmp_path, locate):
    one = Installation(tmp_path)
    (one.include / "eXosip2" / "eXosip.h").unlink()
    assert "eXosip2/eXosip.h: No such file" in locate(one.include, one.lib)


def test_without_c_ares_the_compiler_is_quoted(tmp_path, locate):
    """The engine on libeXosip2 asks DNS by it."""
    one = Installation(tmp_path)
    (one.include / "ares.h").write_text("#error no c-ares here\n")
    complaint = locate(one.include, one.lib)
    assert "no c-ares here" in complaint and "libc-ares-dev" in complaint


def test_a_c_ares_without_a_needed_function_is_refused(tmp_path, locate):
    one = Installation(tmp_path)
    name = one.lib / "libcares.so"
    source = one.lib / "cares.c"
    source.write_text("int ares_library_init(int flags) { return flags; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", name], check=True)
    assert "undefined reference to `ares_" in locate(one.include, one.lib)


def test_a_program_for_another_machine_is_not_run(tmp_path, locate):
    one = Installation(tmp_path / "one", version="5.3.0")
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done\n'
        'printf \'not of this machine\' > "$out"; chmod +x "$out"\n'
    )
    compiler.chmod(0o755)
    assert locate(one.include, one.lib, CC=str(compiler)) == "fits"

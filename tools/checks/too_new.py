"""Find what Ubuntu 12.04 lacks: Python 2.7.3, gcc 4.6, glibc 2.15. `make lint` calls this.

    python -m tools.checks.too_new FILE...

What Python 2.7.18 has and 2.7.3 has not, and what newer compilers take without a word, no other check here
would notice.
"""

import ast
import re
import sys

#: Names that 2.7.3's modules do not have, with the release that brought them.
PYTHON = {
    "struct.unpack_from": "2.7.5 (for a bytearray)",
    "hmac.compare_digest": "2.7.7",
    "hashlib.pbkdf2_hmac": "2.7.8",
    "hashlib.algorithms_available": "2.7.9",
    "hashlib.algorithms_guaranteed": "2.7.9",
    "ssl.SSLContext": "2.7.9",
    "ssl.SSLWantReadError": "2.7.9",
    "ssl.create_default_context": "2.7.9",
    "ssl.match_hostname": "2.7.9",
    "ssl.CertificateError": "2.7.9",
    "ensurepip": "2.7.9",
}

#: Functions of struct whose format must be a native string: unicode from 2.7.7.
STRUCT = ("pack", "pack_into", "unpack", "unpack_from", "calcsize", "Struct")

#: C: a pattern, and what brought it.
C = [
    (r"\b_Generic\b", "gcc 4.9"),
    (r"\b_Thread_local\b", "gcc 4.9 (__thread)"),
    (r"\b_Atomic\b|<stdatomic\.h>", "gcc 4.9 (__sync_...)"),
    (r"\b__atomic_\w+", "gcc 4.7 (__sync_...)"),
    (r"\b__builtin_\w+_overflow\b", "gcc 5"),
    (r"\b__has_(attribute|include|builtin)\b", "gcc 5"),
    (r"\bfallthrough\b\s*\)\s*\)", "gcc 7"),
    (r"\b__VA_OPT__\b", "gcc 8"),
    (r"#\s*embed\b|\bnullptr\b|\bconstexpr\b", "C23"),
    (r"\bsecure_getenv\s*\(", "glibc 2.17"),
    (r"\btimespec_get\s*\(|\baligned_alloc\s*\(|\bquick_exit\s*\(", "glibc 2.16"),
    (r"\bgetauxval\s*\(", "glibc 2.16"),
    (r"\bgetrandom\s*\(|\bgetentropy\s*\(|\bexplicit_bzero\s*\(", "glibc 2.25"),
    (r"\breallocarray\s*\(", "glibc 2.26"),
    (r"\bmemfd_create\s*\(", "glibc 2.27"),
    (r"\bgettid\s*\(|\bpthread_cond_clockwait\s*\(", "glibc 2.30"),
    (r"\bstrlcpy\s*\(|\bstrlcat\s*\(", "glibc 2.38"),
]

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def _dotted(node):
    """ "struct.pack" for the expression that says so, else None."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return "%s.%s" % (node.value.id, node.attr)
    return None


def _imported(node):
    """The dotted names that an import statement brings."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return ["%s.%s" % (node.module, alias.name) for alias in node.names]
    return []


def _running(node):
    """A node and all in it, but for what stands under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(node, ast.If)
            and getattr(node.test, "id", None) == "TYPE_CHECKING"
            and child in node.body
        ):
            continue
        yield from _running(child)


def _unicode_format(node, native):
    """True for struct.pack(u"...") and the like; ``native`` tells what a literal without a prefix is."""
    if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
        return False
    module, _, function = (_dotted(node.func) or "").partition(".")
    literal = node.args[0]
    if module != "struct" or function not in STRUCT or not isinstance(literal.value, str):
        return False
    return literal.kind == "u" or not native


def python_findings(source):
    """(line, text) for each thing in a Python source that 2.7.3 lacks."""
    nodes = list(_running(ast.parse(source)))
    native = not any("__future__.unicode_literals" in _imported(node) for node in nodes)
    for node in nodes:
        for name in _imported(node) + [_dotted(node)]:
            if name in PYTHON:
                yield node.lineno, "%s came with Python %s" % (name, PYTHON[name])
            elif (name or "").partition(".")[0] == "typing":
                yield node.lineno, "typing came with Python 3.5: import it under `if TYPE_CHECKING:`"
        if _unicode_format(node, native):
            yield node.lineno, "struct takes no unicode format before Python 2.7.7"


def c_findings(source):
    """(line, text) for each thing in a C source that gcc 4.6 or glibc 2.15 lacks."""
    code = COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment.group()), source)
    for pattern, since in C:
        for match in re.finditer(pattern, code):
            yield code.count("\n", 0, match.start()) + 1, "%r came with %s" % (match.group(), since)


def main(paths):
    count = 0
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            source = stream.read()
        findings = python_findings(source) if path.endswith(".py") else c_findings(source)
        for line, text in sorted(findings):
            print("%s:%d: %s" % (path, line, text))
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

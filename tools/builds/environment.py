"""The virtual environments: .venv for the default Python, build/venv-... for all else.

    python3 -m tools.builds.environment [lint|docs|service]

makes .venv: the pinned tools, the engines that this machine has, and sipbridge itself, editable; or that of
the linters, that of the documentation, or that of examples/telephony and its tests. What is there and still right
is left as it is, so a second run takes a second.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

#: Where the files are that say what a virtual environment holds.
REQUIREMENTS = pathlib.Path(__file__).resolve().parent
ROOT = REQUIREMENTS.parent.parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv"

OLDEST = (3, 9)
OF_THE_SERVICE = (3, 11)
OF_THE_DOCS = (3, 11)

#: pip neither looks for newer versions of itself nor complains that 2.7 is old.
PIP_ENVIRONMENT = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_PYTHON_VERSION_WARNING": "1"}


#: A program of the virtualenv in a folder.
MAKE_FOR_OLD = "import sys; sys.path.insert(0, %r); import virtualenv; virtualenv.cli_run(sys.argv[1:])"


class Failed(Exception):
    """A command failed; the text is for the user."""


def run(command, cwd=ROOT, **environment):
    """Run a command quietly and return what it printed; its output is shown only when it fails."""
    variables = dict(os.environ, **environment)
    result = subprocess.run(
        [str(word) for word in command],
        cwd=str(cwd),
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        errors="replace",
    )
    if result.returncode:
        text = "%s\nfailed with %d:\n%s" % (" ".join(map(str, command)), result.returncode, result.stdout)
        raise Failed(text)
    return result.stdout


def digest(*parts):
    """One line that differs when any of the texts or files does."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode())
        content.update(b"\0")
    return content.hexdigest()


class Stamp:
    """A file that says from what something was made."""

    def __init__(self, path, *parts):
        self.path = path
        self.content = digest(*parts)

    def fits(self):
        return self.path.exists() and self.path.read_text() == self.content

    def write(self):
        self.path.write_text(self.content)


def install(pip, requirements, *options):
    """Install pinned releases: the files name all of them, so pip resolves nothing.

    Python compiles what is imported, a fraction of it, when it is: that takes three seconds less.
    """
    run([*pip, "install", "-q", "--no-deps", "--no-compile", *options, "-r", requirements], **PIP_ENVIRONMENT)


def environment(folder, python, requirements, create=None, pip=None):
    """A virtual environment for an interpreter with the requirements; the path of its own interpreter.

    Args:
        folder: where it is.
        python: the interpreter.
        requirements: files of pinned releases.
        create: the command that makes it, without the folder; default: the interpreter's own venv module.
        pip: the command of a pip elsewhere that fills it; default: its own.
    """
    inside = folder / "bin" / "python"
    stamp = Stamp(folder / "made-from", python, run([python, "-VV"]), *requirements)
    if stamp.fits() and inside.exists():
        return inside
    print("making %s with %s" % (folder.relative_to(ROOT), python), flush=True)
    if folder.exists():
        shutil.rmtree(str(folder))
    run((create or [python, "-m", "venv"]) + [folder])
    for file in requirements:
        install([*pip, "--python", inside] if pip else [inside, "-m", "pip"], file)
    run([inside, "-m", "pip", "check"], **PIP_ENVIRONMENT)
    stamp.write()
    return inside


def base():
    """The interpreter that runs this, itself: not a virtual environment's, not pyenv's stand-in for it."""
    if sys.version_info[:2] < OLDEST:
        raise Failed(
            "this is Python %s; 3.9 or newer is needed: make PYTHON=python3.x" % sys.version.split()[0]
        )
    python = pathlib.Path(sys.base_prefix) / "bin" / ("python%d.%d" % sys.version_info[:2])
    return python if python.exists() else pathlib.Path(sys.executable)


def default():
    """.venv's interpreter, with what builds and tests; without sipbridge."""
    return environment(VENV, base(), [REQUIREMENTS / "requirements-3.txt"])


def lint():
    """The interpreter of an environment with the linters."""
    requirements = [REQUIREMENTS / "requirements-3.txt", REQUIREMENTS / "requirements-lint.txt"]
    return environment(BUILD / "venv-lint", base(), requirements)


def docs():
    """The interpreter of an environment with what makes the documentation's site. Raises Failed."""
    if sys.version_info < OF_THE_DOCS:
        raise Failed("Sphinx needs Python 3.11 or newer: make docs PYTHON=python3.x")
    requirements = [REQUIREMENTS / "requirements-3.txt", REQUIREMENTS / "requirements-docs.txt"]
    return environment(BUILD / "venv-docs", base(), requirements)


def service():
    """The interpreter of an environment with what examples/telephony needs, and what tests it. Raises Failed."""
    if sys.version_info < OF_THE_SERVICE:
        raise Failed("the telephony service needs Python 3.11 or newer: make PYTHON=python3.x")
    example = ROOT / "examples/telephony"
    requirements = [REQUIREMENTS / "requirements-3.txt", REQUIREMENTS / "requirements-service.txt"]
    requirements += [example / "requirements.txt", example / "requirements-debug.txt"]
    return environment(BUILD / "venv-service", base(), requirements)


def other(python, version):
    """The interpreter of an environment for testing with another Python, version "X.Y"."""
    folder, own = BUILD / ("venv-" + version), default()
    pip = [own, "-m", "pip"]
    if version == "2.7":
        create = [own, "-c", MAKE_FOR_OLD % str(_virtualenv(pip)), "-q", "-p", python]
        return environment(folder, python, [REQUIREMENTS / "requirements-2.7.txt"], create)
    requirements = [REQUIREMENTS / "requirements-3.txt"]
    if version == "3.9":  # on which that pip does not run
        return environment(folder, python, requirements)
    # That takes five seconds less than to give it a pip first.
    return environment(folder, python, requirements, [python, "-m", "venv", "--without-pip"], pip)


def _virtualenv(pip):
    """The folder with what makes an environment for Python 2.7."""
    folder, requirements = BUILD / "virtualenv", REQUIREMENTS / "requirements-virtualenv.txt"
    stamp = Stamp(folder / "made-from", *pip, requirements)
    if not stamp.fits():
        shutil.rmtree(str(folder), ignore_errors=True)
        install(pip, requirements, "--target", folder)
        stamp.write()
    return folder


def develop():
    """Build the engines in place and make .venv import sipbridge from the checkout; its interpreter."""
    python = editable()
    build_engines(python)
    return python


def editable():
    """Make .venv import sipbridge from the checkout; its interpreter."""
    python = default()
    stamp = Stamp(
        VENV / "develops",
        str(ROOT),
        ROOT / "setup.py",
        ROOT / "pyproject.toml",
        ROOT / "sipbridge/_version.py",
    )
    if not stamp.fits():
        print("building the engines", flush=True)
        command = [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
        run(command + ["--editable", "."], **PIP_ENVIRONMENT)
        stamp.write()
    return python


def build_engines(python):
    """Build in place what has changed of the engines; what the build printed."""
    return run([python, "setup.py", "-q", "build_ext", "--inplace"])


def main(arguments):
    try:
        {"lint": lint, "docs": docs, "service": service}.get("".join(arguments), develop)()
    except Failed as error:
        sys.exit("environment: %s" % error)


if __name__ == "__main__":
    main(sys.argv[1:])

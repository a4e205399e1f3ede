"""Make an sdist, install from it, and look at what comes out. `make lint` calls this.

    python -m tools.checks.package

Runs in an environment that has what pyproject.toml asks for; needs a SIP library, as any build does.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from tools.builds.environment import BUILD, PIP_ENVIRONMENT, ROOT, Failed, run
from tools.builds.wheels import build_sdist

PLACE = BUILD / "package"

#: What an sdist must hold, besides every file that matches SOURCES.
FILES = ("LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "setup.py", "pyproject.toml")
SOURCES = (
    "csrc/**/*.[ch]",
    "sipbridge/**/*.py",
    "sipbridge/**/*.pyi",
    "sipbridge/py.typed",
    "tests/**/*.py",
    "tools/*",
    "tools/*/*",
)


def new_sdist():
    """The path of a new sdist."""
    shutil.rmtree(str(PLACE), ignore_errors=True)
    return build_sdist(sys.executable, PLACE)


def lacking_in_sdist(path):
    """The files that should be in an sdist and are not."""
    wanted = set(FILES)
    for pattern in SOURCES:
        wanted.update(str(file.relative_to(ROOT)) for file in ROOT.glob(pattern) if file.is_file())
    with tarfile.open(str(path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    return sorted(name for name in wanted - names if "__pycache__" not in name and "/build/" not in name)


def install(path):
    """Install an sdist into an empty folder; the folder."""
    target = PLACE / "installed"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    run(command + ["--target", target, path], **PIP_ENVIRONMENT)
    return target


def lacking_in_package(folder):
    """What is wrong with the installed package: lines."""
    package = folder / "sipbridge"
    if not (package / "py.typed").exists():
        yield "py.typed is not installed"
    if (package / "_build.py").exists():
        yield "_build.py is installed, and nobody needs it there"
    if sys.platform.startswith("linux") and not (package / "_shield.so").exists():
        yield "_shield.so, the shield to preload, is not installed"
    sources = ROOT / "sipbridge"
    for source in sorted(set(sources.glob("**/*.py")) | set(sources.glob("**/*.pyi"))):
        name = source.relative_to(sources)
        if name.name != "_build.py" and not (package / name).exists():
            yield "%s is not installed" % name
    settings = dict(os.environ, PYTHONPATH=str(folder))
    version = (ROOT / "sipbridge" / "_version.py").read_text().split('"')[1]
    command = [str(folder / "bin" / "sipbridge"), "version"]
    answer = subprocess.run(command, env=settings, cwd=str(folder), stdout=subprocess.PIPE, check=False)
    if answer.returncode or version not in answer.stdout.decode():
        yield "`sipbridge version` says %r and ends with %d" % (answer.stdout, answer.returncode)


def main():
    try:
        sdist = new_sdist()
        wrong = ["not in the sdist: " + name for name in lacking_in_sdist(sdist)]
        wrong += lacking_in_package(install(sdist))
    except Failed as error:
        wrong = [str(error)]
    print("\n".join(wrong) or "%s installs" % pathlib.Path(sdist).name)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

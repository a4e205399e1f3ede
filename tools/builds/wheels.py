"""What is published: the sdist and the wheels, in dist/. `make wheels` calls this.

    python3 -m tools.builds.wheels

The pure wheels have no engine: their users have it elsewhere (docs/places.md), so they need neither a compiler nor a
SIP library. There is one for Python 2.7, which lacks the modules that 2.7 cannot compile. All wheels are built from the
sdist, not from the checkout. twine and check-wheel-contents look at what came out.
"""

import shutil
import sys
import tarfile

from tools.builds import environment
from tools.builds.environment import BUILD, ROOT, Failed, run

DIST = ROOT / "dist"

#: Where the sdist is unpacked, and the environment of the checks.
PLACE = BUILD / "wheels"
CHECKS = BUILD / "venv-wheels"

#: The tags of the pure wheels.
PURE = ("py2", "py3")


def build_sdist(python, folder):
    """The path of a new sdist in a folder."""
    run([python, "setup.py", "-q", "sdist", "--formats=gztar", "-d", folder])
    (path,) = folder.glob("sipbridge-*.tar.gz")
    return path


def unpack(sdist, folder):
    """The folder of the sources that an sdist holds, below the given one."""
    shutil.rmtree(str(folder), ignore_errors=True)
    with tarfile.open(str(sdist)) as archive:
        archive.extractall(str(folder))
    (source,) = folder.iterdir()
    return source


def build_pure(python, source, folder):
    """The paths of the pure wheels, built from unpacked sources."""
    for tag in PURE:
        # Of their own, because setuptools takes modules that an earlier build has left into the next wheel.
        build = ["build", "--build-base", source / "build" / tag]
        wheel = ["bdist_wheel", "--python-tag", tag, "-d", folder]
        run([python, "setup.py", "-q"] + build + wheel, cwd=source, SIPBRIDGE_ENGINES="none")
    return sorted(folder.glob("sipbridge-*-none-any.whl"))


def check(python, files):
    """Raise Failed where an index or an installer would stumble."""
    run([python, "-m", "twine", "check", "--strict"] + files)
    run([python, "-m", "check_wheel_contents"] + [file for file in files if file.suffix == ".whl"])


def main():
    try:
        python = environment.default()
        requirements = [environment.REQUIREMENTS / ("requirements-%s.txt" % name) for name in ("3", "wheels")]
        checks = environment.environment(CHECKS, environment.base(), requirements)
        DIST.mkdir(exist_ok=True)
        for old in DIST.glob("sipbridge-*"):
            old.unlink()
        sdist = build_sdist(python, DIST)
        built = [sdist] + build_pure(python, unpack(sdist, PLACE / "source"), DIST)
        check(checks, built)
    except Failed as error:
        sys.exit("wheels: %s" % error)
    for path in built:
        print("%s %d kB" % (path.relative_to(ROOT), path.stat().st_size // 1000))


if __name__ == "__main__":
    main()

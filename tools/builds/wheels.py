"""What is published: the sdist and the wheels, in dist/. `make wheels` calls this.

    python3 -m tools.builds.wheels [--pure]

The pure wheels have no engine: their users have it elsewhere (docs/places.md), so they need neither a compiler nor a
SIP library. There is one for Python 2.7, which lacks the modules that 2.7 cannot compile. All wheels are built from the
sdist, not from the checkout. twine and check-wheel-contents look at what came out.

--pure: leave out the wheel with an engine (platform_wheel.py), which takes root's rights, and ten minutes at first.
"""

import shutil
import sys
import tarfile

from tools.builds import environment, platform_wheel
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
    pure = [file for file in files if file.name.endswith("-none-any.whl")]
    run([python, "-m", "check_wheel_contents"] + pure)
    others = [file for file in files if file.suffix == ".whl" and file not in pure]
    if others:  # auditwheel's sipbridge.libs lies beside the package, and holds no module
        run([python, "-m", "check_wheel_contents", "--ignore", "W009,W010"] + others)


def main(arguments):
    try:
        if arguments not in ([], ["--pure"]):
            raise Failed("usage: make wheels [ARGS=--pure]")
        if not arguments:
            platform_wheel.check_machine()
        python = environment.default()
        requirements = [environment.REQUIREMENTS / ("requirements-%s.txt" % name) for name in ("3", "wheels")]
        checks = environment.environment(CHECKS, environment.base(), requirements)
        DIST.mkdir(exist_ok=True)
        for old in DIST.glob("sipbridge-*"):
            old.unlink()
        sdist = build_sdist(python, DIST)
        source = unpack(sdist, PLACE / "source")
        built = [sdist] + build_pure(python, source, DIST)
        if not arguments:
            built.append(platform_wheel.build(checks, source, DIST))
            platform_wheel.demonstrate(built[-1])
        check(checks, built)
    except Failed as error:
        sys.exit("wheels: %s" % error)
    for path in built:
        print("%s %d kB" % (path.relative_to(ROOT), path.stat().st_size // 1000))


if __name__ == "__main__":
    main(sys.argv[1:])

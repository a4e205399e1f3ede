"""Write the hash-locked requirements of the image (*.txt) from what is asked for (*.in).

    python3 docker/requirements/lock.py [NAME...]      all, or those named: lock.py runtime sbom

Each line of an .in file names one release, dependencies included: nothing resolves for Python 2.7 any more,
so the whole list is kept by hand, and `sh docker/fetch-wheels` installs it without dependencies. A release
that has no wheel is taken as its sdist and goes to <set>-sdist.txt.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TARGET = "--platform manylinux1_x86_64 --python-version 27 --implementation cp --abi cp27mu --only-binary :all:"
HEADER = "# Written by docker/requirements/lock.py from {name}.in. Do not edit.\n"


def requirements(path):
    """The lines of an .in file that name a release."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def download(requirement, options):
    """The sha256 of the one file that pip chooses for a release, or None when there is none."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        result = subprocess.run(command + options + [requirement], stderr=subprocess.PIPE, text=True)
        if result.returncode:
            if "No matching distribution" in result.stderr:
                return None
            sys.exit(result.stderr)
        (file,) = pathlib.Path(folder).iterdir()
        return hashlib.sha256(file.read_bytes()).hexdigest()


def write(name, entries):
    """Write <name>.txt, or take it away when there is nothing to say."""
    path = HERE / (name + ".txt")
    if not entries:
        path.unlink(missing_ok=True)
        return
    text = HEADER.format(name=name.replace("-sdist", ""))
    text += "".join("{} --hash=sha256:{}\n".format(*entry) for entry in entries)
    path.write_text(text, encoding="utf-8")
    print("wrote {} ({} releases)".format(path.name, len(entries)))


def main(names):
    for source in sorted(HERE.glob("*.in")):
        if names and source.stem not in names:
            continue
        target = [] if source.stem in ("tools", "sbom") else TARGET.split()
        wheels, sdists = [], []
        for requirement in requirements(source):
            digest = download(requirement, target)
            if digest:
                wheels.append((requirement, digest))
            else:
                sdist = download(requirement, ["--no-binary", ":all:"])
                sdists.append((requirement, sdist or sys.exit("no such release: " + requirement)))
        write(source.stem, wheels)
        write(source.stem + "-sdist", sdists)


if __name__ == "__main__":
    main(sys.argv[1:])

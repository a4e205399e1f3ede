"""Print what a stage of the image is made of, as CycloneDX: its packages by debsbom, and its Python packages.

    python sbom.py NAME VERSION < a tar of var/lib/dpkg/status, etc/os-release and opt/sipbridge

Runs in the first stage, whose Python is a current one; docker/image.sh hands the files over.
"""

import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

FOLDERS = ("opt/sipbridge/lib", "opt/sipbridge/site/runtime", "opt/sipbridge/site/build")
FOLDERS += ("opt/sipbridge/site/test", "opt/sipbridge/site/debug")

#: The files that are looked at, out of those that come.
NEEDED = re.compile(r"(var/lib/dpkg/status|etc/os-release|opt/sipbridge/fetched|.+\.(dist|egg)-info(/[\w.-]+)?)$")


def unpack(stream, root):
    """Write the needed files of a tar below root."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            name = pathlib.PurePosixPath(member.name)
            if member.isfile() and NEEDED.match(str(name)) and ".." not in name.parts:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())


def vendor(root):
    """Whose packages they are: "ubuntu", or "debian" for a stand-in."""
    path = root / "etc/os-release"
    return "debian" if path.is_file() and re.search("^ID=.?debian", path.read_text(), re.MULTILINE) else "ubuntu"


def packages(root, name, version):
    """The Bom of what dpkg has installed."""
    program = pathlib.Path(sys.executable).with_name("debsbom")
    words = [program, "generate", "--sbom-type", "cdx", "--out", "-", "--root", root]
    words += ["--distro-name", name, "--distro-version", version, "--distro-arch", "amd64"]
    words += ["--base-distro-vendor", vendor(root), "--cdx-schema-version", "1.6"]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(result.stderr)
    return Bom.from_json(json.loads(result.stdout))


def add_hashes(bom, root):
    """The SHA-256 of the file that each fetched package came in."""
    fetched = root / "opt/sipbridge/fetched"
    lines = fetched.read_text().split("\n") if fetched.is_file() else []
    known = {tuple(line.split()[:3]): line.split()[3] for line in lines if line}
    for component in bom.components:
        url = component.purl
        key = url and (url.name, url.version, url.qualifiers.get("arch"))
        if key in known:
            component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=known[key]))


def python_packages(root, own):
    """A component for each Python package in the folders that the image adds, and for sipbridge, whose version is own:
    all stages but `runtime` have its source tree instead."""
    paths = [str(root / folder) for folder in FOLDERS if (root / folder).is_dir()]
    versions = {"sipbridge": own}
    for found in importlib.metadata.distributions(path=paths):
        versions[re.sub("[-_.]+", "-", found.metadata["Name"]).lower()] = found.version
    for name, version in versions.items():
        url = PackageURL("pypi", None, name, version)
        yield Component(type=ComponentType.LIBRARY, name=name, version=version, purl=url, bom_ref=str(url))


def main(name, version):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        unpack(sys.stdin.buffer, root)
        bom = packages(root, name, version)
        add_hashes(bom, root)
        found = sorted(python_packages(root, version))
        bom.components.update(found)
        bom.register_dependency(bom.metadata.component, [*_needed(bom), *found])
    print(JsonV1Dot6(bom).output_as_string(indent=2))


def _needed(bom):
    """What the whole depends on already."""
    (own,) = (each for each in bom.dependencies if each.ref == bom.metadata.component.bom_ref)
    refs = {each.ref for each in own.dependencies}
    return [component for component in bom.components if component.bom_ref in refs]


if __name__ == "__main__":
    main(*sys.argv[1:])

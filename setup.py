"""Build and install sipbridge. Which engines are built, and how to say so: see sipbridge/_build.py."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import sys

from setuptools import Extension, setup  # first: it brings distutils where Python has none any more
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

from distutils.errors import DistutilsSetupError  # isort: skip

# Without importing the package, which needs what is built here.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipbridge"))
import _build
from _version import __version__

del sys.path[0]

#: The folders of the package: what is public, and the layers below (docs/architecture.md).
PACKAGES = ["sipbridge"] + [
    "sipbridge." + layer
    for layer in (
        "_command",
        "_aio",
        "_agent",
        "_call",
        "_kept",
        "_access",
        "_capture",
        "_flight",
        "_engine",
        "_text",
        "_replay",
    )
]

#: Modules of the package that are not installed: by nobody, and by Python 2.7.
BUILD_ONLY = ("sipbridge._build",)
PYTHON3_ONLY = ("sipbridge.aio", "sipbridge._aio") + tuple(
    "sipbridge._engine.container" + part
    for part in ("", "_client", "_image", "_network", "_owner", "_process", "_stream")
)
PYTHON3_ONLY += tuple("sipbridge._command.fleet" + part for part in ("", "_peers", "_plan", "_supervisor"))

CFFI = "cffi>=1.15.1"  # the last for Python 2.7; pip chooses what fits a newer one


def of_wheel(distribution, option):
    """The value of an option that the command line gives to bdist_wheel, or None."""
    return distribution.get_option_dict("bdist_wheel").get(option, (None, None))[1]


class EngineExtension(Extension):
    """The extension module of one engine, whose flags are known only when it is built."""

    def __init__(self, engine):
        self.engine = engine
        # list(): setuptools refuses a tuple. The sources stand here so that an sdist has them.
        Extension.__init__(
            self,
            _build.module_name(engine),
            sources=_build.sources(engine),
            depends=_build.headers(),
            # Part of glibc itself only since 2.34.
            libraries=["pthread"] + (["dl", "rt"] if sys.platform.startswith("linux") else []),
            extra_compile_args=list(_build.COMPILE_ARGS),
        )


class ShieldLibrary(Extension):
    """The shared library for LD_PRELOAD: no Python in it, and no Python's suffix on it. Linux alone."""

    engine = None

    def __init__(self):
        Extension.__init__(
            self,
            _build.SHIELD,
            sources=_build.shield_sources(),
            depends=_build.headers(),
            libraries=["pthread", "dl", "rt"],
            extra_compile_args=list(_build.COMPILE_ARGS),
        )


class BuildEngines(build_ext):
    """Finds the libraries when it runs, and not before: an sdist and metadata need none of them."""

    def run(self):
        try:
            found = _build.find()
        except _build.Absent as error:
            raise DistutilsSetupError(str(error))
        engines = [extension for extension in self.extensions if extension.engine in found]
        for extension in engines:
            extension.py_limited_api = bool(of_wheel(self.distribution, "py_limited_api"))
            self.complete(extension, *found[extension.engine])
        print("engines: %s" % ", ".join(extension.engine for extension in engines))
        shields = [ext for ext in self.extensions if ext.engine is None and sys.platform.startswith("linux")]
        self.extensions = engines + shields
        build_ext.run(self)

    def build_extensions(self):
        """Have the compiler look for headers where the layer of each file may look."""
        compile_one = self.compiler._compile

        def compile_in_layer(target, source, extension, arguments, more, preprocessor):
            flags = _build.flags_of(source, more)
            command = (target, source, extension, arguments, flags, preprocessor)
            _build.compile_once(source, flags, target, lambda: compile_one(*command))

        self.compiler._compile = compile_in_layer
        build_ext.build_extensions(self)

    def get_libraries(self, extension):
        if extension.engine is None:
            return extension.libraries
        return build_ext.get_libraries(self, extension)

    def get_ext_filename(self, fullname):
        if fullname.split(".")[-1] == _build.SHIELD.split(".")[-1]:
            return os.path.join(*fullname.split(".")) + ".so"
        return build_ext.get_ext_filename(self, fullname)

    def complete(self, extension, compile_args, link_args):
        """Add what cffi generates and the flags of the library."""
        path = os.path.join(self.build_temp, extension.name + ".c")
        if not os.path.isdir(self.build_temp):
            os.makedirs(self.build_temp)
        _build.write_module(extension.engine, path)
        extension.sources.append(path)
        extension.extra_compile_args += compile_args
        extension.extra_link_args += link_args


class BuildPackage(build_py):
    """Leaves out what this Python cannot use."""

    def find_package_modules(self, package, package_dir):
        for_python2 = sys.version_info[0] < 3 or of_wheel(self.distribution, "python_tag") == "py2"
        left_out = BUILD_ONLY + (PYTHON3_ONLY if for_python2 else ())
        modules = build_py.find_package_modules(self, package, package_dir)
        return [module for module in modules if not {module[0], "%s.%s" % module[:2]}.intersection(left_out)]


def long_description():
    """The README, without its links to files, which an index does not have; the image is built without it."""
    if not os.path.exists("README.md"):
        return ""
    with io.open("README.md", encoding="utf-8") as readme:
        return re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", readme.read())


if _build.pure():
    EXTENSIONS = []
else:
    EXTENSIONS = [EngineExtension(library.engine) for library in _build.LIBRARIES] + [ShieldLibrary()]

setup(
    name="sipbridge",
    version=__version__,
    description="SIP telephony from Python 2.7 and 3, on libeXosip2 or Sofia-SIP",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    # tools/builds/platform_wheel.py puts that file there: OpenSSL 3 in a wheel asks for the version 3.
    license="GPL-3.0-or-later" if os.path.exists("LICENSE.GPL-3") else "GPL-2.0-or-later",
    author="the authors of sipbridge",
    keywords="SIP VoIP telephony Sofia-SIP libeXosip2",
    platforms=["Linux", "macOS"],
    # Said, an editable install is a line in a .pth file. Unsaid, it is an import hook: 30 ms for each start of Python.
    package_dir={"": "."},
    packages=PACKAGES,
    package_data=dict({package: ["*.pyi"] for package in PACKAGES}, sipbridge=["py.typed", "*.pyi"]),
    ext_modules=EXTENSIONS,
    cmdclass={"build_ext": BuildEngines, "build_py": BuildPackage},
    entry_points={"console_scripts": ["sipbridge = sipbridge.__main__:main"]},
    setup_requires=[CFFI] if sys.version_info[0] < 3 else [],  # newer ones take it from pyproject.toml
    install_requires=[CFFI],
    extras_require={
        "aio": ["greenlet>=3.2.5"],
        "docker": ["docker>=7"],
        "fleet": ["supervisor>=4.3"],
        "logs": ["ecs-logging>=1.1.0"],  # which is the last for Python 2.7; pip chooses what fits a newer one
        "metrics": ["prometheus_client>=0.12.0"],  # likewise
        "pcap": ["dpkt>=1.9.8"],
        "sentry": ["sentry-sdk>=1.45"],  # likewise
    },
    python_requires=">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*, !=3.6.*, !=3.7.*, !=3.8.*",
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Telecommunications Industry",
        "Operating System :: POSIX :: Linux",
        "Operating System :: MacOS",
        "Operating System :: Microsoft :: Windows",  # with the engine in a container
        "Programming Language :: C",
        "Programming Language :: Python :: 2.7",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Communications :: Internet Phone",
        "Topic :: Communications :: Telephony",
        "Typing :: Typed",
    ],
)

"""The settings of Sphinx. The pages are the Markdown files of the checkout, where they are."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from sipbridge import __version__  # noqa: E402
from tools.docs import docstrings, pages  # noqa: E402

project = "sipbridge"
author = copyright = "the authors of sipbridge"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "*.md", "examples/*/README.md", "deploy/*/README.md"]
exclude_patterns = ["build", "dist", ".*", "**/node_modules", "**/data"]

# Headings have the anchors that GitHub gives them.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "inherited-members": "tuple, Exception, BaseException, dict, list, logging.Handler",
}
autodoc_typehints = "none"  # they are comments for mypy; the docstrings say it for people
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"  # it follows the reader's setting of light or dark, and has a switch
html_title = "sipbridge %s" % __version__
html_additional_pages = {"index": "to-the-first-page.html"}
templates_path = [str(pathlib.Path(__file__).parent / "templates")]
html_show_sphinx = html_copy_source = False

# What is copied is what one types: no prompt, no output beside it.
copybutton_prompt_text = r"\$ |\(gdb\) |ipdb> |>>> "
copybutton_prompt_is_regexp = True

# Addresses of examples, and of what you have started yourself.
linkcheck_ignore = [r"sips?:", r"https?://(127\.0\.0\.1|localhost|[^/]*example\.(com|net|org))\b"]


def setup(app):
    app.connect("source-read", pages.complete)
    app.connect("autodoc-skip-member", docstrings.skipped)
    app.connect("autodoc-process-docstring", docstrings.hide_colons, priority=400)
    app.connect("autodoc-process-docstring", docstrings.show_colons, priority=600)

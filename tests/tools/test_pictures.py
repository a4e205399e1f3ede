"""The pictures of docs/ are those that tools/docs/pictures.py draws, and say in words what they show."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tools.builds.environment import ROOT
from tools.docs import pictures
from tools.docs.canvas import Canvas

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", sorted(pictures.PICTURES))
def test_the_file_is_what_is_drawn(name):
    """If not: python3 -m tools.docs.pictures."""
    drawn = pictures.PICTURES[name]()
    assert (pictures.FOLDER / (name + ".svg")).read_text(encoding="utf-8") == drawn
    assert ElementTree.fromstring(drawn).find("{http://www.w3.org/2000/svg}title").text


def test_each_picture_is_on_a_page_and_is_drawn():
    shown = {
        found
        for page in PAGES
        for found in re.findall(r"\(images/(\w+)\.svg\)", page.read_text(encoding="utf-8"))
    }
    files = {path.stem for path in pictures.FOLDER.glob("*.svg")}
    assert shown == files == set(pictures.PICTURES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_picture_says_in_words_what_it_shows(page):
    for words in re.findall(r"!\[(.*?)\]\(", page.read_text(encoding="utf-8"), re.DOTALL):
        assert len(words.split()) >= 4, words


def test_words_on_a_picture_are_escaped():
    canvas = Canvas(100, 100, "a < b")
    canvas.words(1, 1, "<&>")
    assert "<&>" not in canvas.svg() and "&lt;&amp;&gt;" in canvas.svg()


@pytest.mark.parametrize("name", sorted(pictures.PICTURES))
def test_nothing_stands_outside_of_a_picture(name):
    """By a width of 7.4 pixels for a letter, which is more than most have."""
    root = ElementTree.fromstring(pictures.PICTURES[name]())
    width, height = int(root.get("width")), int(root.get("height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        x, length = int(text.get("x")), 7.4 * len(text.text)
        start = x - length * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        assert 0 <= start and start + length <= width and int(text.get("y")) < height, text.text

"""Reads a drawing as the browser does, for the tests of the figures."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt

SVG = "{http://www.w3.org/2000/svg}"


def drawing(markdown: str) -> ET.Element:
    """The SVG of the one image in a Markdown text."""
    parser = MarkdownIt()
    parser.validateLink = lambda url: True  # Dagster's parser accepts SVG, this one asks
    images = [
        child
        for token in parser.parse(markdown)
        for child in token.children or ()
        if child.type == "image"
    ]
    assert len(images) == 1, markdown
    kind, _, data = str(images[0].attrs["src"]).partition(",")
    assert kind == "data:image/svg+xml"
    root = ET.fromstring(unquote(data))
    assert root.tag == f"{SVG}svg"
    return root


def texts(markdown: str) -> list[str]:
    """The texts of a drawing, its title first."""
    return [text.text or "" for text in drawing(markdown).iter(f"{SVG}text")]


def paths(markdown: str) -> list[dict[str, str]]:
    """The attributes of the paths of a drawing."""
    return [path.attrib for path in drawing(markdown).iter(f"{SVG}path")]


def numbers(path: str) -> list[int]:
    """The numbers of a path."""
    return [int(number) for number in re.findall(r"-?\d+", path)]

"""What a picture shows, read back from its SVG: groups, marks, their places and words."""

import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def groups(svg: str, kind: str) -> list[ElementTree.Element]:
    """Everything of that kind that the picture shows, one group for each call that drew some."""
    root = ElementTree.fromstring(svg)
    return [g for g in root.iter(f"{SVG}g") if g.get("class") == kind]


def marks(svg: str, kind: str) -> list[ElementTree.Element]:
    """The marks of that kind."""
    return [use for group in groups(svg, kind) for use in group.iter(f"{SVG}use")]


def heights(uses: list[ElementTree.Element]) -> list[float]:
    """The y of each mark, in points from the top."""
    return [float(use.get("y", "nan")) for use in uses]


def told(uses: list[ElementTree.Element]) -> list[str]:
    """What each mark says when it is pointed at."""
    return [use.findtext(f"{SVG}title", "") for use in uses]


def texts(svg: str) -> list[str]:
    """Every text of the picture, as a reader sees it."""
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]

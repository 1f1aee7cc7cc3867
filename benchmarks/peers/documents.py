"""Whether two folders of feeds hold the same entries."""

from pathlib import Path

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
NAMES = ("atom.xml", "rss.xml")
Entries = list[tuple[str, str]]


def paths(folder: Path) -> set[str]:
    """Give the paths of all feeds of a folder."""
    return {str(file.relative_to(folder)) for name in NAMES for file in folder.rglob(name)}


def entries(file: Path) -> Entries:
    """Give the link and title of each entry of a feed, in order."""
    root = etree.parse(file).getroot()
    if root.tag == "rss":
        items = root.iter("item")
        return [(item.findtext("link") or "", item.findtext("title") or "") for item in items]
    return [(_alternate(entry), _title(entry)) for entry in root.iter(f"{ATOM}entry")]


def _alternate(entry: etree._Element) -> str:
    links = entry.findall(f"{ATOM}link")
    found = (link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate")
    return next(found, "")


def _title(entry: etree._Element) -> str:
    return entry.findtext(f"{ATOM}title") or ""


def differences(ours: Path, theirs: Path, among: set[str]) -> list[str]:
    """Tell in which of these feeds a folder has other entries than ours."""
    told = []
    for path in sorted(among):
        if not (theirs / path).exists():
            told.append(f"{path} is missing")
        elif entries(ours / path) != entries(theirs / path):
            told.append(f"{path} has other entries")
    return told

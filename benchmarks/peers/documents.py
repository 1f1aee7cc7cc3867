"""Whether two folders of feeds and pages hold the same entries."""

import json
import re
from pathlib import Path

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
NAMES = ("atom.xml", "rss.xml", "feed.json")
# Where the further pages of a list are: by year and month, or numbered.
ARCHIVES = ("archive", "page")
_LINK = re.compile(rb'href="[^"]*entries/([^"/]+)/"')
Entries = list[tuple[str, str]]


def paths(folder: Path) -> set[str]:
    """Return the paths of all feeds of a folder."""
    return {str(file.relative_to(folder)) for name in NAMES for file in folder.rglob(name)}


def entries(file: Path) -> Entries:
    """Return the link and title of each entry of a feed, in order."""
    if file.suffix == ".json":
        items = json.loads(file.read_bytes())["items"]
        return [(item["url"], item["title"]) for item in items]
    root = etree.parse(file).getroot()
    if root.tag == "rss":
        found = root.iter("item")
        return [(item.findtext("link") or "", item.findtext("title") or "") for item in found]
    return [(_alternate(entry), _title(entry)) for entry in root.iter(f"{ATOM}entry")]


def _alternate(entry: etree._Element) -> str:
    links = entry.findall(f"{ATOM}link")
    found = (link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate")
    return next(found, "")


def _title(entry: etree._Element) -> str:
    return entry.findtext(f"{ATOM}title") or ""


def differences(ours: Path, theirs: Path, among: set[str]) -> list[str]:
    """Return the feeds in which a folder has other entries than ours."""
    found = []
    for path in sorted(among):
        if not (theirs / path).exists():
            found.append(f"{path} is missing")
        elif entries(ours / path) != entries(theirs / path):
            found.append(f"{path} has other entries")
    return found


def entry_pages(folder: Path) -> set[str]:
    """Return the ids of the entries that have a page."""
    return {file.parent.name for file in (folder / "entries").glob("*/index.html")}


def listed(folder: Path) -> set[str]:
    """Return the ids of the entries that the pages of a list link to: its first, and its archive."""
    pages = [folder / "index.html"]
    for name in ARCHIVES:
        pages += (folder / name).rglob("index.html")
    return {link.decode() for page in pages for link in _LINK.findall(page.read_bytes())}


def extent(folder: Path) -> tuple[int, int]:
    """Return the number of files in a folder, and that of their bytes."""
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return len(sizes), sum(sizes)

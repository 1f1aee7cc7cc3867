"""Write a catalogue's Atom and RSS feeds with PyYAML and feedgen, and Python-Markdown for bodies.

    python feedgen_per_feed.py CATALOGUE FOLDER

A generator for each document, as people write it: a document names its own
address, and feedgen would put Atom's into RSS too.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from feedgen.feed import FeedGenerator

LATEST = 50
Fields = dict[str, Any]


def read(path: Path) -> Fields:
    """Return the catalogue, its entries newest first."""
    with path.open("rb") as file:
        catalogue: Fields = yaml.load(file, Loader=yaml.CSafeLoader)
    catalogue["entries"].sort(key=lambda entry: entry["date"], reverse=True)
    for entry in catalogue["entries"]:
        # Norway is false in YAML 1.1.
        entry["countries"] = [code or "NO" for code in entry["countries"]]
    return catalogue


def feeds(catalogue: Fields) -> dict[str, tuple[str, list[Fields]]]:
    """Return each feed's title and latest entries by its path."""
    members: dict[str, list[Fields]] = defaultdict(list)
    titles = {"": catalogue["site"]["title"]}
    for slug, name in catalogue["topics"].items():
        titles[f"topics/{slug}/"] = name
    members[""] = catalogue["entries"][:LATEST]
    for entry in catalogue["entries"]:
        for slug in entry["topics"]:
            members[f"topics/{slug}/"].append(entry)
        for code in entry["countries"]:
            members[f"countries/{code.lower()}/"].append(entry)
            titles[f"countries/{code.lower()}/"] = code
    return {path: (titles[path], entries[:LATEST]) for path, entries in members.items()}


def renderer() -> Callable[[str], str]:
    """Return what makes a body's Markdown HTML, each body once."""
    # Slow to import, and not always needed. It is none of the project's own packages.
    from markdown import Markdown  # type: ignore[import-untyped]  # noqa: PLC0415

    markdown = Markdown()
    return cache(lambda body: markdown.reset().convert(body))


def generator(site: Fields, title: str, path: str, name: str, updated: object) -> FeedGenerator:
    """Return a document's generator, still without entries."""
    feed = FeedGenerator()
    address = site["url"] + path
    feed.id(f"{site['id']}:{path}")
    feed.title(title)
    feed.description(title)
    feed.author(site["author"])
    feed.link(href=address + name, rel="self")
    feed.link(href=address, rel="alternate")
    feed.updated(updated)
    return feed


def add(feed: FeedGenerator, entry: Fields, site: Fields, html: str) -> None:
    """Append an entry."""
    element = feed.add_entry(order="append")
    element.id(f"{site['id']}:{entry['id']}")
    element.title(entry["title"])
    element.published(entry["date"])
    element.updated(entry["date"])
    element.summary(entry["summary"])
    element.link(href=entry["link"])
    element.category([{"term": term} for term in (*entry["topics"], *entry["countries"])])
    if html:
        element.content(html, type="html")


def main(catalogue_path: str, folder: str) -> None:
    """Write every feed."""
    catalogue = read(Path(catalogue_path))
    site = catalogue["site"]
    bodies = any("body" in entry for entry in catalogue["entries"])
    html = renderer() if bodies else str
    for path, (title, entries) in feeds(catalogue).items():
        target = Path(folder, path)
        target.mkdir(parents=True, exist_ok=True)
        for name in ("atom.xml", "rss.xml"):
            feed = generator(site, title, path, name, entries[0]["date"])
            for entry in entries:
                add(feed, entry, site, html(entry.get("body", "")))
            write = feed.atom_file if name == "atom.xml" else feed.rss_file
            write(str(target / name))


if __name__ == "__main__":
    main(*sys.argv[1:])

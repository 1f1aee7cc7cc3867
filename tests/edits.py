"""A site, and every kind of edit that editors and webmasters can make."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from conftest import EXPORT_HOSTS
from hypothesis import strategies as st
from PIL import Image
from stores import Clock

from feeds import CatalogueError, Release, build_release, load_catalogue
from feeds.history import History

SITE = {
    "title": "News",
    "url": "https://news.example.org/",
    "id": "tag:news.example.org,2021:t",
    "timezone": "Europe/Zurich",
    "rights": "© We",
    "items": 3,
}
# Each is valid, whatever the others are.
SITE_VALUES: dict[str, list[object]] = {
    "title": ["News", "Newer & better"],
    "description": ["", "What is new"],
    "url": ["https://news.example.org/", "https://other.example.org/"],
    "rights": ["© We", "© You"],
    "language": ["en", "fr", "ar"],
    "country_names": ["cldr", "un", "iso"],
    "timezone": ["Europe/Zurich", "Asia/Tokyo"],
    "items": [1, 3, 50],
    "max_age": [60, 900],
    "formats": [["atom", "rss", "json"], ["atom"], ["rss", "json"]],
    "feeds": [["topics", "countries", "topics-in-countries"], ["topics"], ["topics", "countries"]],
    "accent": ["#c8102e", "#00558c"],
    "footer": ["", "Ours & yours"],
    "hub": ["", "https://hub.example.org/"],
    "logo": ["", "https://news.example.org/logo.png"],
    "moved": [{}, {"old/": "topics/a/", "home.html": "./"}, {"old/": "topics/b/"}],
    "retired": [[], ["gone/"]],
    "license": ["", "CC0 1.0", "https://l.example.org/"],
}
ENTRY_VALUES: dict[str, list[object]] = {
    "title": ["Ä & <b>", "Other", "#5"],
    "summary": ["S.", "Another summary."],
    "body": ["**bold** [x](y)", "plain", ""],
    "link": ["", "https://elsewhere.example.org/x"],
    "topics": [["a"], ["b", "a"], []],
    "countries": [["Jordan"], ["VN", "Togo"], []],
    "author": ["", "Somebody", {"name": "Somebody", "uri": "https://s.example.org/"}],
    "documents": [
        [],
        ["https://d.example.org/a.pdf"],
        [{"url": "https://d.example.org/a.pdf", "title": "A", "language": "fr", "length": "5"}],
    ],
    "language": ["", "ar", "fr"],
    "license": ["", "CC BY 4.0", "https://l.example.org/"],
}
TEMPLATE_FILES = {
    "footer.html": ["<footer>One</footer>\n", "<footer>{{ site.title }}</footer>\n"],
    "head_extra.html": ['<meta name="x" content="1">\n', '<meta name="x" content="2">\n'],
}
STATIC_FILES = {"logo.svg": [b"<svg/>", b"<svg />"], "about/index.html": [b"<h1>A", b"<h1>B"]}
PICTURES = ("one.png", "two.png", "deep/three.png")
# In the first two a picture has as many bytes.
COLOURS = ("red", "#fe0000", "blue")


class Chosen(NamedTuple):
    """The options of an export or a publish."""

    pages: bool = True
    compress: bool = False
    host: str = ""
    prune: bool = True


class EditedSite:
    """A catalogue with its folders, a clock that only advances during a sleep, and a history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "site"
        self.file = self.folder / "entries.yaml"
        self.clock = Clock()
        self.state = folder / "state"
        self.history = History(self.state)
        self.chosen = Chosen()
        # The version of the program.
        self.program = 1
        self.site: dict[str, object] = dict(SITE)
        self.topics: dict[str, object] = {"a": "Alpha", "b": "Beta", "c": "Without entries"}
        self.countries = {"JO": "Jordan"}
        self.entries: list[dict[str, Any]] = []
        self._number = 0
        self._releases: dict[bool, Release] = {}
        self.picture(0, 0)
        for number in range(5):
            day = f"2022-0{1 + number // 3}-1{number % 3}"
            self.insert(0, day, topics=["a"] if number % 2 else ["b", "a"])
        self.entries[1]["photo"] = {"url": f"media/{PICTURES[0]}", "alt": "One"}
        self.entries[2]["body"] = "A **long** text."
        self.save()

    def release(self, *, pages: bool) -> Release:
        """Return the release at this moment, built from nothing."""
        if pages not in self._releases:
            catalogue = load_catalogue(self.file)
            self._releases[pages] = build_release(catalogue, as_of=self.clock(), pages=pages)
        return self._releases[pages]

    def save(self) -> None:
        """Write the catalogue, some seconds after it was last built."""
        self.clock.now += timedelta(seconds=10)
        self._releases.clear()
        sections: dict[str, Mapping[str, object]] = {
            "site": self.site,
            "topics": self.topics,
            "countries": self.countries,
        }
        lines = []
        for name, values in sections.items():
            lines += [f"{name}:", *(f"  {key}: {json.dumps(it)}" for key, it in values.items())]
        lines.append("entries:" if self.entries else "entries: []")
        for entry in self.entries:
            fields = [f"{key}: {json.dumps(value)}" for key, value in entry.items() if value != ""]
            lines += [f"{'  ' if at else '- '}{text}" for at, text in enumerate(fields)]
        put(self.file, "\n".join([*lines, ""]).encode())

    def insert(self, at: int, date: str, **more: object) -> None:
        self._number += 1
        name = f"n{self._number}"
        entry = {"id": name, "title": f"Title {name}", "date": date, "summary": "S."}
        self.entries.insert(at, entry | {"topics": ["a"], "countries": ["Jordan"]} | more)

    def written(self) -> tuple[Any, ...]:
        """Return a copy of the catalogue's data."""
        return deepcopy((self.site, self.topics, self.countries, self.entries))

    def restore(self, before: tuple[Any, ...]) -> None:
        self.site, self.topics, self.countries, self.entries = before

    # What follows is an edit each, and takes what says which of its kind.

    def add(self, at: int, which: int) -> None:
        soon = self.clock.now + timedelta(days=1 + which % 3)
        dates = ["24 May 2022", "2022-01-11", "2021-03-03T12:00+05:00", soon.isoformat()]
        self.insert(at % (len(self.entries) + 1), pick(dates, which))

    def change(self, which: int, value: int) -> None:
        if self.entries:
            name = pick([*ENTRY_VALUES], value)
            pick(self.entries, which)[name] = pick(ENTRY_VALUES[name], value // len(ENTRY_VALUES))

    def redate(self, which: int, value: int) -> None:
        if self.entries:
            soon = (self.clock.now + timedelta(days=1 + value % 3)).isoformat()
            name = pick(["date", "updated"], value)
            same = ["2022-01-11T09:00+02:00", "2022-01-11T07:00Z", "2022-01-11"]
            pick(self.entries, which)[name] = pick([*same, soon], value // 2)

    def illustrate(self, which: int, value: int) -> None:
        names = [name for name in PICTURES if (self.folder / "media" / name).exists()]
        if self.entries and names:
            photo = {"url": f"media/{pick(names, value)}", "alt": pick(["A", "B"], value)}
            pick(self.entries, which)["photo"] = pick([photo, photo, {"credit": "© X"}, ""], value)

    def remove(self, which: int, _: int) -> None:
        if self.entries:
            self.entries.remove(pick(self.entries, which))

    def reorder(self, which: int, to: int) -> None:
        if self.entries:
            entry = pick(self.entries, which)
            self.entries.remove(entry)
            self.entries.insert(to % (len(self.entries) + 1), entry)

    def rename_topic(self, which: int, value: int) -> None:
        names: list[object] = ["Alpha", "Beta & Co", {"name": "Gamma", "description": "Described."}]
        self.topics[pick("abcd", which)] = pick(names, value)

    def rename_country(self, _: int, value: int) -> None:
        self.countries["JO"] = pick(["Jordan", "The Kingdom"], value)

    def set_site(self, which: int, value: int) -> None:
        name = pick([*SITE_VALUES], which)
        self.site[name] = pick(SITE_VALUES[name], value)

    def picture(self, which: int, value: int) -> None:
        """Add or change a picture; one of the same size may have as many bytes as before."""
        image = io.BytesIO()
        size = (3 + value // len(COLOURS) % 2, 3)
        Image.new("RGB", size, pick(COLOURS, value)).save(image, "png")
        put(self.folder / "media" / pick(PICTURES, which), image.getvalue())

    def remove_picture(self, which: int, _: int) -> None:
        name = pick(PICTURES, which)
        (self.folder / "media" / name).unlink(missing_ok=True)
        for entry in self.entries:
            if (
                isinstance(photo := entry.get("photo"), dict)
                and photo.get("url") == f"media/{name}"
            ):
                del entry["photo"]

    def static(self, which: int, value: int) -> None:
        self._beside("static", which, value, STATIC_FILES)

    def template(self, which: int, value: int) -> None:
        files = {name: [text.encode() for text in texts] for name, texts in TEMPLATE_FILES.items()}
        self._beside("templates", which, value, files)

    def _beside(self, folder: str, which: int, value: int, files: dict[str, list[bytes]]) -> None:
        name = pick([*files], which)
        body = pick([*files[name], None], value)
        if body is None:
            (self.folder / folder / name).unlink(missing_ok=True)
        else:
            put(self.folder / folder / name, body)

    def wait(self, days: int, _: int) -> None:
        self.clock.now += timedelta(days=1 + days % 3)

    def choose(self, which: int, value: int) -> None:
        values: dict[str, Sequence[object]] = {
            "pages": (True, False),
            "compress": (True, False),
            "host": ("", *EXPORT_HOSTS),
            "prune": (True, False),
        }
        name = pick([*values], which)
        self.chosen = self.chosen._replace(**{name: pick(values[name], value)})


KINDS: tuple[Callable[[EditedSite, int, int], None], ...] = (
    EditedSite.add,
    EditedSite.change,
    EditedSite.redate,
    EditedSite.illustrate,
    EditedSite.remove,
    EditedSite.reorder,
    EditedSite.rename_topic,
    EditedSite.rename_country,
    EditedSite.set_site,
    EditedSite.picture,
    EditedSite.remove_picture,
    EditedSite.static,
    EditedSite.template,
    EditedSite.wait,
    EditedSite.choose,
)


class Edit(NamedTuple):
    """An edit of some kind, and the random numbers that select which."""

    kind: str
    which: int
    value: int

    def make(self, site: EditedSite) -> None:
        """Make the edit, unless it would make the catalogue invalid."""
        before = site.written()
        getattr(site, self.kind)(self.which, self.value)
        site.save()
        try:
            load_catalogue(site.file)
        except CatalogueError:
            site.restore(before)
            site.save()


def edits(most: int, *, least: int = 1) -> st.SearchStrategy[list[Edit]]:
    """Return lists of edits, of at least and at most so many."""
    number = st.integers(0, 1000)
    one = st.builds(Edit, st.sampled_from([kind.__name__ for kind in KINDS]), number, number)
    return st.lists(one, min_size=least, max_size=most)


def pick(values: Sequence[Any], number: int) -> Any:
    return values[number % len(values)]


def put(file: Path, data: bytes) -> None:
    """Replace a file, so that it has another inode than before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}")
    new.write_bytes(data)
    new.replace(file)

"""The contenders: what each needs as input, and the command that is timed.

Each works in a folder of its own: `input`, `state` and `out`. Preparing the
input is not timed. It writes only files that differ from what is there.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from catalogues import PLAIN, country_codes

HERE = Path(__file__).parent
FEEDS = Path(sys.executable).with_name("feeds")
# Hugo refuses a YAML file of 5,000 entries.
CHUNK = 1000
_ITEM = "\n- id:"
Command = Sequence[str | Path]
_EXPORT: Command = (
    *(FEEDS, "export", "../out"),
    *("--catalogue", "catalogue.yaml", "--state", "../state"),
)


@dataclass(frozen=True, slots=True)
class News:
    """A catalogue as text: its head, and its entries, newest first."""

    head: str
    items: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "News":
        """Cut a catalogue's text between its entries."""
        head, *items = text.rstrip("\n").split(_ITEM)
        return cls(head, tuple(items))

    @property
    def text(self) -> str:
        """The catalogue again."""
        return "".join([self.head, *(_ITEM + item for item in self.items), "\n"])

    def edited(self, place: int) -> "News":
        """Return a copy in which the entry at a place has another title."""
        items = list(self.items)
        items[place] = items[place].replace("  title: ", f"  title: Edited {place} ", 1)
        return replace(self, items=tuple(items))

    def grown(self, place: int) -> "News":
        """Return a copy with one more entry, newer than all."""
        item = self.items[0].replace("/news/", f"/added-{place}/", 1).split("\n")
        # The day at which the catalogue ends: see catalogues.py.
        head = [f" entry-added-{place}", item[1], "  date: 2026-06-01T09:00:00+02:00"]
        return replace(self, items=("\n".join(head + item[3:]), *self.items))

    def with_everything(self) -> "News":
        """Return a copy with all formats, and feeds of topics in countries."""
        return replace(self, head=self.head.replace(PLAIN, ""))

    def chunks(self) -> list[str]:
        """Return lists of a thousand entries in YAML, as many as there were before one was added."""
        added = len(self.items) % CHUNK if len(self.items) > CHUNK else 0
        starts = [0, *range(CHUNK + added, len(self.items), CHUNK)]
        ends = [*starts[1:], len(self.items)]
        return [
            "".join(f"- id:{item}\n" for item in self.items[start:end])
            for start, end in zip(starts, ends, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to do the job.

    `prepare` brings a catalogue into the folder it is given, and `command` is
    run in that folder; `needs` are the programs that must be there. `most` is
    the largest number of entries it is asked to take. One that is not `exact`
    is compared by the feed of everything only.
    """

    name: str
    prepare: Callable[[Path, News], None]
    command: Command
    needs: Sequence[Path] = ()
    most: int = sys.maxsize
    exact: bool = True

    @property
    def installed(self) -> bool:
        """Whether all that it needs is there."""
        return all(path.exists() for path in self.needs)


def contenders(installed: Path, *, slow: bool) -> dict[str, Contender]:
    """Return all contenders by their names on the command line, this project first."""
    node = Path(shutil.which("node") or "/no/node")
    return {
        **_this_project(),
        **_python_peers(installed / "python", slow=slow),
        **_hugo(hugo_program(installed)),
        **_node_peers(node, installed / "node_modules"),
    }


def site_contenders(installed: Path) -> dict[str, Contender]:
    """Return the contenders that make the whole site, with a page for each entry, this project first."""
    program = hugo_program(installed)
    return {
        "feeds": Contender(name="feeds", prepare=one_file, command=_EXPORT),
        "hugo": Contender(
            name="Hugo", prepare=hugo_whole_site, command=_hugo_command(program), needs=[program]
        ),
    }


def _this_project() -> dict[str, Contender]:
    command = [*_EXPORT, "--no-pages"]
    return {
        "feeds": Contender(name="feeds", prepare=one_file, command=command),
        "feeds-all": Contender(
            name="feeds, all formats and feeds", prepare=everything, command=command
        ),
    }


def _python_peers(environment: Path, *, slow: bool) -> dict[str, Contender]:
    python, pelican = environment / "bin" / "python", environment / "bin" / "pelican"
    return {
        "feedgen": Contender(
            name="feedgen, per feed",
            prepare=one_file,
            command=[python, HERE / "feedgen_per_feed.py", "catalogue.yaml", "../out"],
            needs=[python],
        ),
        "pelican": Contender(
            name="Pelican",
            prepare=pelican_site,
            command=[pelican, "--quiet", "--settings", "pelicanconf.py", "--output", "../out"],
            needs=[pelican],
            most=10_000 if slow else 1000,
            exact=False,
        ),
    }


def hugo_program(installed: Path) -> Path:
    """Return the program itself: the package's own command starts it by way of Python."""
    environment = installed / "python"
    found = environment.glob("lib/python*/site-packages/hugo/binaries/hugo")
    return next(found, environment / "hugo")


def _hugo_command(program: Path) -> Command:
    return [program, "--quiet", "--noBuildLock", "--destination", "../out"]


def _hugo(program: Path) -> dict[str, Contender]:
    return {
        word: Contender(name=name, prepare=prepare, command=_hugo_command(program), needs=[program])
        for word, name, prepare in (
            ("hugo", "Hugo, YAML", hugo_site),
            ("hugo-json", "Hugo, JSON", hugo_site_over_json),
        )
    }


def _node_peers(node: Path, modules: Path) -> dict[str, Contender]:
    eleventy = modules / "@11ty" / "eleventy" / "cmd.cjs"
    return {
        "feedsmith": Contender(
            name="feedsmith",
            prepare=partial(node_program, modules),
            command=[node, "feedsmith.mjs", "catalogue.yaml", "../out"],
            needs=[node, modules / "feedsmith"],
        ),
        "eleventy": Contender(
            name="Eleventy",
            prepare=partial(eleventy_site, modules),
            command=[node, eleventy, "--quiet", "--output=../out"],
            needs=[node, eleventy],
        ),
    }


def one_file(folder: Path, news: News) -> None:
    """Write the catalogue as it is."""
    _write_all(folder, catalogue_files(news))


def catalogue_files(news: News) -> dict[str, str]:
    """Return the catalogue by its path."""
    return {"catalogue.yaml": news.text}


def everything(folder: Path, news: News) -> None:
    """Write the catalogue with all formats and feeds."""
    one_file(folder, news.with_everything())


def node_program(modules: Path, folder: Path, news: News) -> None:
    """Put a program beside its packages, where Node looks for them."""
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "node_modules").symlink_to(modules.resolve())
        shutil.copy(HERE / "feedsmith.mjs", folder)
    one_file(folder, news)


def eleventy_site(modules: Path, folder: Path, news: News) -> None:
    """Lay out Eleventy's site, the catalogue in it."""
    if not (folder / "node_modules").exists():
        shutil.copytree(HERE / "eleventy", folder)
        (folder / "node_modules").symlink_to(modules.resolve())
        _write(folder / "package.json", '{"private": true, "type": "module"}')
    one_file(folder, news)


def hugo_site(folder: Path, news: News, layouts: str = "hugo") -> None:
    """Lay out Hugo's site, the entries in YAML files."""
    shutil.copytree(HERE / layouts, folder, dirs_exist_ok=True)
    _write_all(folder, hugo_files(news))


def hugo_whole_site(folder: Path, news: News) -> None:
    """Lay out Hugo's site with pages, beside the entries the names of topics and countries."""
    hugo_site(folder, news, "hugo-site")
    territories = Locale("en").territories
    names = {
        "topics": yaml.load(news.head, Loader=yaml.CSafeLoader)["topics"],
        "countries": {code: territories[code] for code in country_codes()},
    }
    # Not YAML, in which Norway is false.
    texts = {f"data/names/{kind}.json": json.dumps(found) for kind, found in names.items()}
    _write_all(folder, texts)


def hugo_files(news: News) -> dict[str, str]:
    """Return the YAML files of entries by their paths."""
    return {f"data/entries/{number:03}.yaml": chunk for number, chunk in enumerate(news.chunks())}


def hugo_site_over_json(folder: Path, news: News) -> None:
    """Lay out Hugo's site, the entries in JSON files."""
    shutil.copytree(HERE / "hugo", folder, dirs_exist_ok=True)
    for number, chunk in enumerate(news.chunks()):
        # Beside the site: what the JSON was made from.
        if _write(folder.with_name("yaml") / f"{number:03}.yaml", chunk):
            entries: list[dict[str, Any]] = yaml.load(chunk, Loader=yaml.CSafeLoader)
            for entry in entries:
                entry["date"] = entry["date"].isoformat()
                # Norway is false in YAML 1.1.
                entry["countries"] = [code or "NO" for code in entry["countries"]]
            text = json.dumps(entries, ensure_ascii=False)
            _write(folder / "data" / "entries" / f"{number:03}.json", text)


def pelican_site(folder: Path, news: News) -> None:
    """Lay out Pelican's site, a file for each entry."""
    shutil.copytree(HERE / "pelican", folder, dirs_exist_ok=True)
    kept = set()
    for item in news.items:
        path, text = _article(item)
        kept.add(folder / path)
        _write(folder / path, text)
    for article in set((folder / "content").iterdir()) - kept:
        article.unlink()


def _article(item: str) -> tuple[str, str]:
    """Return an entry as the path and text of Pelican's Markdown file."""
    (entry,) = yaml.load(f"- id:{item}", Loader=yaml.CSafeLoader)
    fields = {
        "Title": entry["title"],
        "Slug": entry["id"],
        "Date": entry["date"].isoformat(),
        "Summary": entry["summary"],
        "Url": entry["link"],
        "Category": entry["countries"][0] or "NO",
        "Tags": ", ".join(entry["topics"]),
    }
    head = "".join(f"{name}: {text}\n" for name, text in fields.items())
    return f"content/{entry['id']}.md", f"{head}\n{entry.get('body', '')}"


def _write_all(folder: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        _write(folder / path, text)


def _write(path: Path, text: str) -> bool:
    """Write a file unless it holds this text already; return whether it was written."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


def clean(folder: Path) -> None:
    """Take away what a contender has written."""
    for name in ("out", "state"):
        if os.path.lexists(folder / name):
            shutil.rmtree(folder / name)

"""A webmaster's own templates: what they override and extend, and how an error in one is reported."""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, ROOT
from payloads import PAYLOADS, hostile_entries
from selectolax.lexbor import LexborHTMLParser

from feeds import Catalogue, FeedsError, Photo, Release, build_release, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.plans import plan_site
from feeds.urls import STYLE

CATALOGUE = load_catalogue(CATALOGUES / "every-field.yaml")
HEAD = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder of templates."""
    found = tmp_path / "templates"
    found.mkdir()
    return found


def built(templates: Path | None, catalogue: Catalogue = CATALOGUE) -> Release:
    """Return the release of a catalogue that has a folder of templates beside it, or none."""
    beside = templates.parent if templates else None
    return build_release(replace(catalogue, beside=beside), as_of=AS_OF)


def rendered(templates: Path | None, catalogue: Catalogue = CATALOGUE) -> dict[str, str]:
    """Return every HTML page of a catalogue, by its path."""
    release = built(templates, catalogue)
    return {
        path: document.body.decode()
        for path, document in release.items()
        if document.media_type.startswith("text/html")
    }


def inputs(templates: Path | None) -> list[str]:
    """Return digests of what documents depend on, which differ if templates do."""
    beside = templates.parent if templates else None
    planned = plan_site(replace(CATALOGUE, beside=beside), as_of=AS_OF)
    return [plan.inputs for plan in planned.plans]


def busy() -> Catalogue:
    """Return a catalogue that has an archive, and pages of every kind."""
    items = (
        f"- id: e{number}\n  title: Title {number}\n  date: 2022-05-{1 + number % 28:02}\n"
        f"  topics: [A]\n  countries: [Jordan]\n"
        for number in range(50)
    )
    return read_catalogue([("f.yaml", f"{HEAD}entries:\n{''.join(items)}".encode())])


def error_of(templates: Path) -> str:
    """Return the error that is raised with some templates."""
    with pytest.raises(FeedsError) as raised:
        rendered(templates)
    return str(raised.value)


def test_an_empty_folder_and_a_missing_one_change_nothing(folder: Path) -> None:
    """Without overrides the pages are the shipped ones."""
    shipped = rendered(None)
    assert rendered(folder) == shipped
    folder.rmdir()
    assert rendered(folder) == shipped


@pytest.mark.parametrize("name", ["header.html", "footer.html", "head_extra.html"])
def test_a_part_of_every_page_is_overridden(name: str, folder: Path) -> None:
    """A header, footer or addition to the head is on every page, with addresses relative to it."""
    mark = '<meta name="mark" content="{{ site.title }}" href="{{ "media/logo.svg" | href }}">'
    (folder / name).write_text(f"{mark}\n")
    pages = rendered(folder, busy())
    assert {path.partition("/")[0] for path in pages} == {
        *("index.html", "404.html", "410.html", "subscribe", "entries"),
        *("topics", "countries", "archive"),
    }
    for path, page in pages.items():
        base = (
            HEAD.split()[4] if path in {"404.html", "410.html"} else "../" * path.count("/") or "./"
        )
        assert f'<meta name="mark" content="News" href="{base}media/logo.svg">\n' in page, path


def test_the_first_page_is_known_to_a_header(folder: Path) -> None:
    """`front` is true only on the first page."""
    (folder / "header.html").write_text("<header>{{ 'front' if front else 'inner' }}</header>\n")
    pages = rendered(folder, busy())
    assert [path for path, page in pages.items() if "<header>front</header>" in page] == [
        "index.html"
    ]


def test_an_override_extends_the_shipped_template(folder: Path) -> None:
    """`feeds/base.html` is the shipped template, whose blocks an override can extend."""
    (folder / "base.html").write_text(
        '{% extends "feeds/base.html" %}\n'
        "{% block footer %}{{ super() }}<p>{% include 'parts/address.html' %}</p>{% endblock %}\n"
    )
    (folder / "parts").mkdir()
    (folder / "parts/address.html").write_text("1 Main Street")
    pages = rendered(folder)
    for path, page in rendered(None).items():
        assert pages[path] == page.replace("</footer>\n", "</footer>\n<p>1 Main Street</p>")


def test_a_template_of_one_kind_of_page_is_extended(folder: Path) -> None:
    """An override of `entry.html` has the entry, and changes no other page."""
    (folder / "entry.html").write_text(
        '{% extends "feeds/entry.html" %}\n'
        "{% block main %}{{ super() }}<p>{{ entry.id }} {{ entry.published.year }}</p>{% endblock %}\n"
    )
    pages, shipped = rendered(folder), rendered(None)
    changed = [path for path in pages if pages[path] != shipped[path]]
    assert changed == [path for path in pages if path.startswith("entries/")]
    for entry in CATALOGUE.entries:
        assert f"<p>{entry.id} {entry.published.year}</p>" in pages[f"{entry.path}index.html"]


def test_a_page_of_an_archive_that_lists_other_feeds_is_rendered_when_they_change(
    folder: Path,
) -> None:
    """With an override, pages of an archive may show the related feeds, so they depend on them."""
    (folder / "archive.html").write_text(
        '{% extends "listing.html" %}{% block main %}{{ related.topics }}{% endblock %}', "utf-8"
    )
    source = folder.parent / "entries.yaml"
    plans = []
    for name in ("Old name", "New name"):
        items = "".join(
            f"- {{id: e{number}, title: T, date: {1960 + number}-01-01, summary: S, topics: [a]}}\n"
            for number in range(60)
        )
        source.write_text(
            'site: {title: T, url: "https://e.org/", id: "tag:e.org,2021:t"}\n'
            f"topics: {{a: A, without-entries: {name}}}\nentries:\n{items}",
            "utf-8",
        )
        planned = plan_site(load_catalogue(source), as_of=AS_OF)
        plans.append({plan.path: plan.inputs for plan in planned.plans})
    before, after = plans
    pages = [path for path in before if path.startswith("archive/")]
    assert pages
    assert not any(before[path] == after[path] for path in pages)


def test_rules_are_added_to_the_style_sheet(folder: Path) -> None:
    """An override of `accent.css` can include the shipped one and add rules."""
    (folder / "accent.css").write_text('{% include "feeds/accent.css" %}\nfooter { margin: 0 }\n')
    shipped, own = built(None)[STYLE], built(folder)[STYLE]
    assert own.media_type == shipped.media_type
    assert own.body == shipped.body + b"footer { margin: 0 }\n"


@pytest.mark.parametrize("name", ["base.html", "footer.html"])
def test_the_samples_of_the_guide_work(name: str, folder: Path) -> None:
    """Each template in the webmasters' guide can be put into a folder as it is."""
    guide = (ROOT / "docs" / "webmasters.md").read_text()
    samples = re.findall(r"`templates/([a-z.]+)`[^\n]*\n\n```jinja\n(.*?)```", guide, re.DOTALL)
    (folder / name).write_text(dict(samples)[name])
    pages, shipped = rendered(folder), rendered(None)
    assert all(pages[path] != shipped[path] for path in shipped)


def test_what_an_override_prints_is_escaped(folder: Path) -> None:
    """Texts of the catalogue are escaped in an override, whatever its name."""
    text = HEAD.replace("News", "'<b>\"&'") + "entries: []\n"
    (folder / "footer.html").write_text("{% include 'own.txt' %}")
    (folder / "own.txt").write_text("<footer>{{ site.title }}</footer>")
    for page in rendered(folder, read_catalogue([("f.yaml", text.encode())])).values():
        assert "<footer>&lt;b&gt;&#34;&amp;</footer>" in page


def test_a_template_that_nothing_uses_is_harmless(folder: Path) -> None:
    """A file that overrides nothing and is included nowhere may have any content."""
    (folder / "draft.html").write_bytes(b"{% if \xff")
    assert rendered(folder) == rendered(None)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("<p>\n{% if %}", 2, "Expected an expression, got 'end of statement block'"),
        ("<p>\n{% block x %}", 2, "Unexpected end of template."),
        ("<p>\n\n{# a comment", 3, "Missing end of comment tag"),
        ("<p>\n{{ titel }}", 2, "'titel' is undefined"),
        ("\n\n{{ site.titel }}", 3, "has no attribute 'titel'"),
        ("{{ entry.title }}", 1, "'entry' is undefined"),
        ("\n{{ site.title | shorten }}", 2, "No filter named 'shorten'."),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError: division by zero"),
        ("\n{% for one in 3 %}{% endfor %}", 2, "TypeError: 'int' object is not iterable"),
        ("\n{{ 3 | href }}", 2, "TypeError: "),
        ("\n\n{% include 'none.html' %}", 3, "template 'none.html' not found"),
        ("{% extends 'none.html' %}", 1, "template 'none.html' not found"),
        ("{% from 'feeds/macros.html' import nothing %}\n{{ nothing() }}", 2, "does not export"),
        ("{% extends 'footer.html' %}", 1, "extends, includes or calls itself;"),
        ("<p>\n\n\u00e9".encode("latin-1"), 3, "not UTF-8"),
    ],
)
def test_an_error_names_its_file_and_line(
    source: str | bytes, line: int, message: str, folder: Path
) -> None:
    """An error in an override is one line, with the path as the user gave it."""
    file = folder / "footer.html"
    file.write_bytes(source if isinstance(source, bytes) else source.encode())
    text = error_of(folder)
    assert text.startswith(f"{file}:{line}: ")
    assert message in text
    assert "\n" not in text


def test_an_error_in_a_shipped_macro_is_that_of_its_caller(folder: Path) -> None:
    """An error in a shipped macro is reported at the line of the override that called it."""
    file = folder / "entry.html"
    file.write_text(
        '{% extends "feeds/entry.html" %}\n{% from "feeds/macros.html" import pager %}\n'
        "{% block main %}\n{{ pager('News', 1, 2) }}\n{% endblock %}\n"
    )
    assert error_of(folder).startswith(f"{file}:4: ")


def test_an_error_in_a_shipped_template_keeps_its_traceback() -> None:
    """An error in a shipped template is a bug, and keeps its traceback."""
    entry = CATALOGUE.entries[0]._replace(photo=Photo(url=1))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        # Without formats, nothing but pages is rendered.
        build_release(replace(CATALOGUE, entries=(entry,)), as_of=AS_OF, formats=())


def test_links_out_of_the_folder_and_hidden_files_are_not_read(folder: Path) -> None:
    """A template is a regular file of the folder; a link within the folder is one too."""
    outside = folder.parent / "outside.html"
    outside.write_text("OUTSIDE")
    (folder.parent / "more").mkdir()
    (folder.parent / "more/x.html").write_text("OUTSIDE")
    (folder / "footer.html").symlink_to(outside)
    (folder / "header.html").symlink_to("missing.html")
    (folder / "base.html").symlink_to("base.html")
    (folder / "linked").symlink_to(folder.parent / "more")
    (folder / ".hidden.html").write_text("HIDDEN")
    (folder / ".git").mkdir()
    (folder / ".git/x.html").write_text("HIDDEN")
    os.mkfifo(folder / "entry.html")
    assert inputs(folder) == inputs(None)
    assert rendered(folder) == rendered(None)
    (folder / "own.html").write_text("OWN")
    (folder / "head_extra.html").symlink_to("own.html")
    pages = rendered(folder)
    assert all("OWN</head>" in page or "OWN\n</head>" in page for page in pages.values())
    assert not any("OUTSIDE" in page or "HIDDEN" in page for page in pages.values())


def test_template_files_are_sorted_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages depend on is the same whatever the order of the templates' folder, and by any path."""
    (folder / "b").mkdir()
    for name in ("c.html", "b/x.html", "a.html", "b.html"):
        (folder / name).write_text(name)
    found = inputs(folder)
    assert found != inputs(None)
    walk = os.walk
    for order in (sorted, partial(sorted, reverse=True)):
        with monkeypatch.context() as patch:
            patch.setattr(
                os,
                "walk",
                lambda top, order=order, **more: (
                    (root, folders, order(names)) for root, folders, names in walk(top, **more)
                ),
            )
            assert inputs(folder) == found
    link = folder.parent / "elsewhere" / "templates"
    link.parent.mkdir()
    link.symlink_to(folder)
    assert inputs(link) == found


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """A file in place of the templates' folder is an error that names its path."""
    file = tmp_path / "templates"
    file.write_text("")
    with pytest.raises(FeedsError, match=re.escape(f"{file}: Not a directory")):
        rendered(file)


def test_payloads_are_texts_on_every_page() -> None:
    """Payloads in any field are escaped on every page, and shown as text."""
    head = HEAD.replace("News", repr(PAYLOADS[0]))
    catalogue = read_catalogue([("f.yaml", (head + hostile_entries(head)).encode())])
    release = build_release(catalogue, as_of=AS_OF)
    pages = {
        path: LexborHTMLParser(found.body)
        for path, found in release.items()
        if path.endswith(".html")
    }
    for path, page in pages.items():
        for found in page.css("*"):
            assert not [name for name in found.attributes if name.startswith("on")], path
            if found.tag == "script":
                assert found.attributes == {"type": "application/ld+json"}, path
    for entry in catalogue.entries[:-1]:
        page = pages[f"{entry.path}index.html"]
        for selector, text in [
            ("h1", entry.title),
            (".lead", entry.summary),
            (".date span", ", ".join(person.name for person in entry.authors)),
            ("figcaption, .credit", entry.photo.credit if entry.photo else ""),
        ]:
            node = page.css_first(f"main {selector}")
            assert node is not None
            assert " ".join(text.split()) in " ".join(node.text().split()), entry.id

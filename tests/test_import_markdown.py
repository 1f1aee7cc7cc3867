"""`feeds import` of a folder of Markdown: every page becomes an entry, or is reported."""

from pathlib import Path

import pytest
from import_cases import FOLDERS, Case, feeds

from feeds.importer.items import Item
from feeds.importer.markdown_folder import read_markdown


def write(folder: Path, **pages: str) -> None:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, "utf-8")


def only(folder: Path, text: str, name: str = "page.md") -> Item:
    (folder / name).write_text(text, "utf-8")
    [item] = read_markdown(folder).items
    return item


@pytest.mark.parametrize("source", FOLDERS, ids=lambda path: path.name)
def test_case_is_imported_as_expected(
    source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One command writes the expected catalogue, which is valid, and accounts for each page."""
    Case(source).check(tmp_path, golden=request.config.getoption("--golden"))


def test_each_generator_has_a_case() -> None:
    """The folders are in the manner of five generators."""
    generators = {"eleventy", "hugo", "jekyll", "nikola", "pelican"}
    assert generators <= {path.name for path in FOLDERS}


@pytest.mark.parametrize(
    "matter",
    [
        "---\nauthors: [Ada, Ben Doe]\nlang: fr\nlicense: CC BY 4.0\nattachments:\n- {url: URL, title: B}\n---\n",
        "+++\nauthors = ['Ada', 'Ben Doe']\nlang = 'fr'\nlicence = 'CC BY 4.0'\n[[files]]\nsrc = 'URL'\nname = 'B'\n+++\n",
        '{"author": [{"name": "Ada"}, "Ben Doe"], "locale": "fr", "license": "CC BY 4.0", "downloads": {"href": "URL", "label": "B"}}\n',
    ],
)
def test_front_matter_on_documents(matter: str, tmp_path: Path) -> None:
    """Authors, language, licence and documents are read under their usual names."""
    url = "https://example.org/b.pdf"
    item = only(tmp_path, f"{matter.replace('URL', url)}\nThe text.\n")
    assert item.documents == ({"url": url, "title": "B"},)
    assert item.authors == ({"name": "Ada"}, {"name": "Ben Doe"})
    assert (item.language, item.license) == ("fr", "CC BY 4.0")


@pytest.mark.parametrize(
    "matter",
    [
        "---\ntitle: A page\ndate: 2024-05-01\n---\n",
        "---  \r\ntitle: A page\r\ndate: 2024-05-01\r\n---\r\n",
        "+++\ntitle = 'A page'\ndate = 2024-05-01\n+++\n",
        '{"title": "A page", "date": "2024-05-01"}\n',
        "Title: A page\nDate: 2024-05-01\n\n",
        ".. title: A page\n.. date: 2024-05-01\n\n",
        "<!--\n.. title: A page\n.. date: 2024-05-01\n-->\n",
    ],
)
def test_front_matter(matter: str, tmp_path: Path) -> None:
    """Front matter is YAML, TOML, JSON, or the lines of Pelican and Nikola."""
    item = only(tmp_path, f"{matter}\nThe text.\n")
    assert (item.title, item.date, item.body, item.slug) == (
        "A page",
        "2024-05-01",
        "The text.",
        "page",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Just text.",
        "",
        "{% include x.html %}\n",
        "---\ntitle: not closed\n",
        "Remark: this has a colon\n\nText.",
        "----\ntitle: x\n----\n",
    ],
)
def test_a_page_without_front_matter_is_reported(text: str, tmp_path: Path) -> None:
    """What does not begin with front matter is left out, with a remark."""
    write(tmp_path, page=text)
    source = read_markdown(tmp_path)
    assert not source.items
    assert [(remark.place, remark.message, remark.left_out) for remark in source.remarks] == [
        (str(tmp_path / "page.md"), "has no front matter", True)
    ]


@pytest.mark.parametrize(
    ("matter", "line", "fault"),
    [
        ("---\ntitle: a: b\n---\n", 2, "is not valid YAML"),
        ("---\ntitle: a\n\ntitle: b\n---\n", 4, "duplicate key 'title'"),
        ("---\n- a\n---\n", 2, "is not a mapping"),
        ("+++\ntitle = \n+++\n", 1, "is not valid TOML"),
        ('{"title": }\n', 1, "is not valid JSON"),
    ],
)
def test_a_broken_page_does_not_stop_the_others(
    matter: str, line: int, fault: str, tmp_path: Path
) -> None:
    """A page whose front matter cannot be read is reported with its line; the others are read."""
    write(tmp_path, broken=matter, page="---\ntitle: A page\n---\n")
    (tmp_path / "latin.md").write_bytes("---\ntitle: Été\n---\n".encode("latin-1"))
    source = read_markdown(tmp_path)
    assert [item.title for item in source.items] == ["A page"]
    first, second = source.remarks
    assert first.place == f"{tmp_path / 'broken.md'}:{line}"
    assert fault in first.message
    assert second.place == f"{tmp_path / 'latin.md'}:2"
    assert second.message == "is not UTF-8; save it with the encoding UTF-8"
    assert first.left_out
    assert second.left_out


@pytest.mark.parametrize(
    ("body", "title", "rest"),
    [
        ("# A *heading*\n\nText.", "A heading", "Text."),
        ("A heading\n=========\nText.", "A heading", "Text."),
        (
            "## Not the first level\n\nText.",
            "Not the first level",
            "## Not the first level\n\nText.",
        ),
    ],
)
def test_the_first_heading_is_the_title(body: str, title: str, rest: str, tmp_path: Path) -> None:
    """Without a title in the front matter, the first heading is the title, and leaves the text."""
    item = only(tmp_path, f"---\ndate: 2024-05-01\n---\n{body}\n")
    assert (item.title, item.body) == (title, rest)


def test_a_heading_that_is_not_the_title_stays(tmp_path: Path) -> None:
    """A first heading leaves the text only if it repeats the title."""
    same = only(tmp_path, "---\ntitle: A & B\n---\n# A &amp; B #\n\nText.\n")
    assert same.body == "Text."
    other = only(tmp_path, "---\ntitle: A\n---\n# B\n\nText.\n")
    assert other.body == "# B\n\nText."


def test_names_of_files_give_dates_and_slugs(tmp_path: Path) -> None:
    """A date before the name is that of the page, unless the front matter has one."""
    page = "---\ntitle: A page\n---\n"
    (tmp_path / "news").mkdir()
    write(
        tmp_path / "news", **{"2024-5-1-a_b": page, "2024-05-02-c": "---\ndate: 2020-01-01\n---\nx"}
    )
    (tmp_path / "2024-05-03-bundle").mkdir()
    write(tmp_path / "2024-05-03-bundle", index=page)
    found = {item.slug: item.date for item in read_markdown(tmp_path).items}
    assert found == {"a_b": "2024-5-1", "c": "2020-01-01", "bundle": "2024-05-03"}


def test_translations_are_left_out(tmp_path: Path) -> None:
    """Of translations, one is imported: without a language, or else in that of the site."""
    (tmp_path / "hugo.toml").write_text(
        'baseURL = "https://a.example.org/"\nlanguageCode = "fr"\n', "utf-8"
    )
    write(
        tmp_path,
        **{f"{name}.{tag}": f"---\ntitle: {tag}\n---\n" for name in "ab" for tag in ("de", "fr")},
    )
    write(tmp_path, b="---\ntitle: none\n---\n", **{"v1.0": "---\ntitle: version\n---\n"})
    source = read_markdown(tmp_path)
    assert {(item.slug, item.title) for item in source.items} == {
        ("a", "fr"),
        ("b", "none"),
        ("v1.0", "version"),
    }
    assert sum(remark.left_out for remark in source.remarks) == 3


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    """A symbolic link to a file outside, or to a folder, is not read; one within is."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    write(outside, secret="---\ntitle: Secret\n---\n")  # noqa: S106  # a name of a file
    write(inside, page="---\ntitle: A page\n---\n")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "folder").symlink_to(outside)
    (inside / "again.md").symlink_to("page.md")
    (inside / "dangling.md").symlink_to(inside / "nothing.md")
    source = read_markdown(inside)
    assert [item.slug for item in source.items] == ["again", "page"]
    assert {Path(remark.place).name: remark.message for remark in source.remarks} == {
        "dangling.md": "is not a file",
        "link.md": "is a symbolic link out of the folder",
    }


def test_only_a_configuration_near_the_folder_is_read(tmp_path: Path) -> None:
    """The site is that of a configuration in the folder or three above; one that is broken is named."""
    folder = tmp_path / "a" / "b" / "c" / "d"
    folder.mkdir(parents=True)
    config = "title: Site\nurl: https://a.example.org\n"
    for level, is_read in ((folder, True), (folder.parents[2], True), (folder.parents[3], False)):
        file = level / "_config.yml"
        file.write_text(config, "utf-8")
        assert bool(read_markdown(folder).site) == is_read
        file.unlink()
    (folder / "config.json").write_text('{"title": "Something else"}', "utf-8")
    assert not read_markdown(folder).site
    (folder / "_config.yml").write_text("title: Site\nplugins: a\nplugins: b\n", "utf-8")
    source = read_markdown(folder)
    assert not source.site
    [remark] = source.remarks
    assert remark.place == f"{folder / '_config.yml'}:3"
    assert remark.message.startswith("duplicate key 'plugins'")
    assert not remark.left_out


def test_a_local_address_is_not_that_of_the_site(tmp_path: Path) -> None:
    """The address of a development server is not imported."""
    (tmp_path / "config.toml").write_text('baseURL = "http://localhost:1313/"\n', "utf-8")
    assert not read_markdown(tmp_path).site


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """Without pages, nothing is written."""
    done = feeds(tmp_path, "import", ".")
    assert done.code == 1
    assert not (tmp_path / "entries.yaml").exists()


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    """The same folder again inserts no entry and changes no byte of the catalogue."""
    case = Case(next(path for path in FOLDERS if path.name == "hugo"))
    folder = case.copied_to(tmp_path)
    first = feeds(folder, *case.words)
    before = (folder / "entries.yaml").read_bytes()
    again = feeds(folder, *case.words)
    assert (again.code, again.written, again.left_out) == (0, 0, first.left_out)
    assert (folder / "entries.yaml").read_bytes() == before

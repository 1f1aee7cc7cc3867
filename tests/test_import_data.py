"""`feeds import` of YAML, JSON and CSV: every item becomes an entry, or is reported with its line."""

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from import_cases import FILES, Case, feeds

from feeds import FeedsError
from feeds.importer.data_file import read_data
from feeds.importer.items import Item, Label, Source


def read(text: str, name: str = "news.yml", **paths: str) -> Source:
    return read_data(name, text.encode(), paths)


def only(text: str, name: str = "news.yml", **paths: str) -> Item:
    [item] = read(text, name, **paths).items
    return item


def messages(source: Source) -> list[str]:
    return [str(remark) for remark in source.remarks]


@pytest.mark.parametrize("source", FILES, ids=lambda path: path.name)
def test_case_is_imported_as_expected(
    source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One command writes the expected catalogue, which is valid, and accounts for each item."""
    Case(source).check(tmp_path, golden=request.config.getoption("--golden"))


def test_each_shape_has_a_case() -> None:
    """At least thirty catalogues are imported; each shape that is usual has one."""
    written = [case for case in map(Case, FILES) if "\nsite:\n" in case.expected]
    assert len(written) >= 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title: T\nsummary: S *s*", {"title": "T", "summary": "S s"}),
        ("title: T\ntext: <p>a</p><p>b</p>", {"body": "a\n\nb"}),
        ("title: T\ntext: 'a [b](c)'", {"body": "a [b](c)"}),
        ("title: T\ntext: <p>**a**</p>", {"body": r"\*\*a\*\*"}),
        ("title: T\ntext: [a, b]", {"body": "a\n\nb"}),
        ("title: {en: T, de: U}", {"title": ""}),
        ("title: T\nlink: https://a.example.org/ä b", {"link": "https://a.example.org/%C3%A4%20b"}),
        ("title: T\npermalink: https://a.example.org/x", {"page": "https://a.example.org/x"}),
        ("title: T\nguid: '123 at x'", {"guid": {"id": "123 at x"}}),
        ("title: T\ntags: 'a, b; a'", {"labels": (Label("a"), Label("b"))}),
        ("title: T\ntags: [{name: A, slug: a}]", {"labels": (Label("A", "a"),)}),
        ("title: T\ntags: ['Oslo, Norway']", {"labels": (Label("Oslo, Norway"),)}),
        ("title: T\nphotographer: P", {"photo": {"credit": "P"}}),
        ("title: T\nimage: picture.jpg", {"photo": {}}),
        ("title: T\nby: <b>P</b>", {"authors": ({"name": "P"},)}),
        ("title: T\nauthor: {email: a@b.example}", {"authors": ()}),
        ("title: T\nauthor: P; Q, R", {"authors": ({"name": "P"}, {"name": "Q, R"})}),
        ("title: T\nauthor: P\nauthors: [P, Q]", {"authors": ({"name": "P"}, {"name": "Q"})}),
        (
            "title: T\nfile: https://a.example.org/b.PDF",
            {"documents": ({"url": "https://a.example.org/b.PDF"},)},
        ),
        ("title: T\nfile: https://a.example.org/b", {"documents": ()}),
        (
            "title: T\nfile: {url: 'https://a.example.org/b'}",
            {"documents": ({"url": "https://a.example.org/b"},)},
        ),
        ("title: T\nfile: {size: 3}", {"documents": ()}),
        ("title: T\nlang: {value: fr}\nlicence: [MIT]", {"language": "fr", "license": "MIT"}),
        ("title: T\nauthor: {title: P, url: /p}", {"authors": ({"name": "P"},)}),
        ("title: T\nslug: x\nid: 7", {"slug": "x"}),
        ("title: T\npublishDate: 2024-01-02\ndate: 2024-01-01", {"date": "2024-01-02"}),
        ("title: T\ndate: [2024-01-01, 2024-01-03]", {"date": "2024-01-01 – 2024-01-03"}),
        ("title: T\nyear: 2024\nmonth: 5", {"date": "5 2024"}),
    ],
)
def test_fields(name: str, value: Mapping[str, object]) -> None:
    """A field has the value of its usual names, in the form that an entry takes."""
    item = only(f"- {name.replace(chr(10), chr(10) + '  ')}")
    assert {key: getattr(item, key) for key in value} == value


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("A short text.", "A short text.", ""),
        ("**A** text", "A text", "**A** text"),
        ("3. Place for us", "3. Place for us", ""),
        ("# A heading\n\nText.", "A heading", "# A heading\n\nText."),
        ("5 < 6 & 7 > 6", "5 < 6 & 7 > 6", ""),
        ("One sentence which is long enough. " + "More of it. " * 20, None, None),
        ("x" * 200, "x" * 120 + "…", "x" * 200),
        ("語" * 40 + "。" + "語" * 100, "語" * 40 + "。", "語" * 40 + "。" + "語" * 100),
    ],
)
def test_a_text_without_title_gets_one(text: str, title: str | None, body: str | None) -> None:
    """The title is the text, or the beginning of a text that is long or has markup, which stays."""
    item = only(json.dumps([{"text": text}]), "news.json")
    assert item.title == (title or "One sentence which is long enough.")
    assert item.body == (text.strip() if body is None else body)


def test_an_abbreviation_ends_no_sentence() -> None:
    """The title of a long text is not cut after `Prof.`."""
    text = f"Congratulations to our Prof. Roe on the prize of the academy. {'More. ' * 30}"
    title = only(json.dumps([{"text": text}]), "news.json").title
    assert title == "Congratulations to our Prof. Roe on the prize of the academy."


def test_what_is_not_imported_is_named_once_with_a_count() -> None:
    """Each key that is no field, also within a mapping, is one remark for all items."""
    items = "".join(f"- {{title: T, venue: V, date: {{start: {n}, end: {n}}}}}\n" for n in range(9))
    assert messages(read(items)) == [
        "news.yml:1: the key 'venue' is not imported (in 9 items)",
        "news.yml:1: the key 'date.end' is not imported (in 9 items)",
    ]


def test_what_a_mapping_has_beside_its_text_is_named() -> None:
    """Of a mapping the text is imported, and what else it has is a remark; so is one without a text."""
    assert messages(
        read(
            "- {title: {rendered: T, raw: U}, date: 2024-01-01,"
            " link: {display: V, url: 'https://a.example.org/'}}"
        )
    ) == [
        "news.yml:1: the key 'title.raw' is not imported (in 1 item)",
        "news.yml:1: the key 'link.display' is not imported (in 1 item)",
    ]
    assert messages(read("- {title: {en: T}, date: 2024-01-01}")) == [
        "news.yml:1: the key 'title.en' is not imported (in 1 item)",
        "news.yml: no item has a title; name its key with --title, one of title.en, date",
    ]


def test_an_option_names_a_key_that_must_exist() -> None:
    """A path that no item has is an error that names the keys; one that some item has is not."""
    with pytest.raises(
        FeedsError, match=r"^--date when: no item has this key; there are title, x.y"
    ):
        read("- {title: T}\n- {x: {y: z}, title: U}\n", date="when")
    assert [item.date for item in read("- {title: T}\n- {x: {y: z}}\n", date="x.y").items] == [
        "",
        "z",
    ]


def test_the_key_of_an_option_may_have_dots() -> None:
    """A path is first the key itself, then a way into mappings and lists."""
    assert only("- {a.b: T, a: {b: U}}", title="a.b").title == "T"
    assert only("- {a: [{b: T}, {b: U}]}", title="a.1.b").title == "U"


@pytest.mark.parametrize(
    ("date_format", "fault"),
    [("%d %B", "has no year"), ("%Y-%Q", "'%Q' is not known"), ("%", "'%'")],
)
def test_a_date_format_must_be_one(date_format: str, fault: str) -> None:
    """A format of dates without a year, or with an unknown directive, is refused."""
    with pytest.raises(FeedsError, match=fault):
        read_data("news.yml", b"- {title: T, date: 1 May}", {}, date_format=date_format)


def test_a_date_of_the_format_has_its_time() -> None:
    """A date in the format is written in ISO 8601, with a time if the format has one."""
    data = b"title,date\nT,05/03/2024 18.30\n"
    [item] = read_data("n.csv", data, {}, date_format="%d/%m/%Y %H.%M").items
    assert item.date == "2024-03-05T18:30:00"


def test_lines_are_those_of_an_editor() -> None:
    """The place of an item is the line on which it begins, in any syntax, whatever ends lines."""
    yml = '# c\r\nnews:\r\n- title: A\r\n  text: "x\u2028y"\r\n\r\n- title: B\r\n- title: C'
    jsn = '[\n {"title": "A",\n "text": "x\\ny"},\n\n {"title": "B"}]'
    csv_ = 'title,text\nA,"x\ny"\n\nB,z\n'
    for text, name, lines in (
        (yml, "n.yml", [3, 6, 7]),
        (jsn, "n.json", [2, 5]),
        (csv_, "n.csv", [2, 5]),
    ):
        places = [item.place for item in read(text, name).items]
        assert places == [f"{name}:{line}" for line in lines]


def test_anchors_are_resolved_and_bounded() -> None:
    """An alias has the line where it is used; what many share counts for each."""
    assert [item.place for item in read("- &a {title: A}\n- *a\n").items] == [
        "news.yml:1",
        "news.yml:2",
    ]
    for text in ("- *a", "- &a [*a]", "- &a b\n---\n- *a"):
        with pytest.raises(FeedsError, match="has no anchor before it"):
            read(text)
    merged = "x0: &x0 {a: 1}\n" + "".join(
        f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 50)}], k{n}: 1}}\n" for n in range(1, 200)
    )
    with pytest.raises(FeedsError, match="more than 2,000,000 values"):
        read(merged)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("n.yml", b"[" * 100_000),
        ("n.json", b"[" * 100_000),
        ("n.json", b'{"a":' * 100_000),
        ("n.yml", b"- " * 100_000),
        ("n.csv", b'a\n"' + b"x" * 1_000_000),
        ("n.yml", b" " * 20_000_001),
        pytest.param("n.json", b"[1" + b",1" * 2_000_000 + b"]", marks=pytest.mark.heavy),
        pytest.param("n.yml", b"- {title: T}\n" * 100_001, marks=pytest.mark.heavy),
        ("n.yml", b"\xff\xfe\x00"),
        ("n.csv", b"\xff\xfe\x00\xd8"),
        ("n.xyz", b"title"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_hostile_files_are_refused(name: str, data: bytes) -> None:
    """A file that is too deep, too large, or of unknown kind is an error of one line."""
    with pytest.raises(FeedsError) as found:
        read_data(name, data, {})
    assert "\n" not in str(found.value)
    assert str(found.value).startswith(name)


def test_what_cannot_be_published_is_no_crash(tmp_path: Path) -> None:
    """Control characters and halves of surrogate pairs leave a catalogue that is valid."""
    text = r'[{"title": "A \u001b*b* \ud83d", "date": "2024-05-01", "tags": ["&\u0000"], "text": "<p>\u0001"}]'
    (tmp_path / "news.json").write_text(text, "utf-8")
    done = feeds(tmp_path, "import", "news.json")
    assert (done.code, done.written) == (0, 1)
    assert feeds(tmp_path, "check").code == 0


def test_an_encoding_is_used_as_named() -> None:
    """A byte order mark counts more than --encoding; an unknown encoding is an error."""
    data = "title\nÉté\n"
    for encoding, marked in (("cp1252", ""), ("mac-roman", ""), ("latin-1", "utf-8-sig")):
        [item] = read_data("n.csv", data.encode(marked or encoding), {}, encoding=encoding).items
        assert item.title == "Été"
    for encoding in ("klingon", "rot13", "hex"):
        with pytest.raises(FeedsError, match=f"the encoding '{encoding}' is not known"):
            read_data("n.csv", b"title", {}, encoding=encoding)


def test_the_example_of_the_documentation_is_imported(tmp_path: Path) -> None:
    """The file in the documentation is imported by the command there."""
    page = (ROOT / "docs" / "importing.md").read_text("utf-8").partition("\n## Data files\n")[2]
    [text] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    command = re.findall(r"```\nfeeds (import .*)\n```", page)[0]
    (tmp_path / "_data").mkdir()
    (tmp_path / "_data" / "news.yml").write_text(text, "utf-8")
    done = feeds(tmp_path, *command.split())
    assert (done.code, done.written, done.left_out) == (0, 1, 1)
    assert "_data/news.yml:4: date: 'September 2024'" in done.output
    assert "the key 'when.end' is not imported (in 1 item)" in done.output


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    """The same file again inserts no entry and changes no byte of the catalogue."""
    for name in ("events.yml", "same-titles.yml", "topics-and-countries.yml"):
        case = Case(next(path for path in FILES if path.name == name))
        folder = case.copied_to(tmp_path / name)
        first = feeds(folder, *case.words)
        before = (folder / "entries.yaml").read_bytes()
        again = feeds(folder, *case.words)
        assert (again.code, again.written, again.left_out) == (0, 0, first.left_out)
        assert f"{first.written} already there" in again.output
        assert (folder / "entries.yaml").read_bytes() == before


def test_a_second_import_inserts_what_is_newer(tmp_path: Path) -> None:
    """A newer item is inserted with its topic and its moved page; an older one is listed."""
    first = (
        "- {title: Second, date: 2024-05-20}\n- {title: First, date: 2024-05-10, tags: [pool]}\n"
    )
    newer = "- {title: Third, date: 2024-05-30, path: /third.html, text: a, tags: [club]}\n"
    source, catalogue = tmp_path / "news.yml", tmp_path / "entries.yaml"
    source.write_text(first, "utf-8")
    words = ("import", "news.yml", "--url", "https://pool.example.org/")
    feeds(tmp_path, *words)
    edited = f"# Ours\n{catalogue.read_text('utf-8')}".replace("title: Second", "title: Two  # !")
    catalogue.write_text(edited.replace("\n", "\r\n"), "utf-8", newline="")
    source.write_text(newer + first + "- {title: Zeroth, date: 2024-05-01, tags: [old]}\n", "utf-8")
    done = feeds(tmp_path, *words)
    assert done.output.splitlines() == [
        "entries.yaml: 1 entry inserted, 2 already there, 1 older item missing (--all inserts it)",
        "news.yml:4: missing: Zeroth",
    ]
    entry = "- id: third\n  title: Third\n  date: 2024-05-30\n  body: a\n  topics: [club]\n\n"
    expected = edited.replace("entries:\n", f"entries:\n{entry}")
    expected = expected.replace("  pool: pool\n", "  pool: pool\n  club: club\n")
    expected = expected.replace(
        "\n\ntopics", "\n  moved:\n    third.html: entries/third/\n\ntopics"
    )
    assert catalogue.read_bytes().decode() == expected.replace("\n", "\r\n")


def test_a_folder_of_fields_is_no_option_of_other_sources(tmp_path: Path) -> None:
    """A path for a field is refused for a folder of Markdown, which needs none."""
    done = feeds(tmp_path, "import", ".", "--title", "headline")
    assert done.code == 2
    assert "fields need no options" in done.output


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *(
                "",
                "2024-05-24",
                "May 2022",
                "10–12 May",
                "https://a.example.org/x",
                "/x/y",
                "www.a.b",
            ),
            *(
                "true",
                "no",
                "draft",
                "<p>a</p>",
                "<b",
                "[a](b)",
                "# h",
                "&#0;",
                "\x00",
                "NaN",
                "1e999",
            ),
            *(
                "{{ x }}",
                "```",
                "]]>",
                "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
            ),
        ]
    ),
)
KEYS = st.one_of(
    st.sampled_from(
        "title date text summary link tags image author id published status items news 2024 May"
        " 2024-05-24 slug path year month country <<".split()
    ),
    st.text(max_size=8),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=5)


def accounted(source: Source) -> int:
    return len(source.items) + sum(remark.left_out for remark in source.remarks)


@given(VALUES, st.booleans())
@settings(max_examples=60)
def test_any_structure_is_read_or_refused(value: object, flow: bool) -> None:  # noqa: FBT001  # given
    """No structure of YAML or JSON causes any other error than one that the user can fix."""
    texts = {
        "n.json": json.dumps(value, ensure_ascii=False),
        "n.yml": yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow),
    }
    for name, text in texts.items():
        try:
            source = read_data(name, text.encode("utf-8", "replace"), {})
        except FeedsError:
            continue
        assert all(item.place.startswith(f"{name}:") for item in source.items)


@given(RECORDS)
@settings(max_examples=60)
def test_each_record_is_an_item_or_is_reported(records: list[dict[str, Any]]) -> None:
    """In a list of mappings none is lost: each is an item or a remark, if none of them is a group."""
    records = [
        {"title": "T"}
        | {key: value for key, value in record.items() if key not in {"items", "news"}}
        for record in records
    ]
    try:
        source = read_data("n.json", json.dumps({"news": records}).encode(), {})
    except FeedsError:
        return
    assert accounted(source) == len(records)


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=6),
    st.sampled_from(",;\t|"),
    st.booleans(),
)
@settings(max_examples=60)
def test_each_line_of_a_table_is_an_item_or_is_reported(
    rows: list[list[str]],
    delimiter: str,
    quoted: bool,  # noqa: FBT001  # given
) -> None:
    """In a table none is lost but empty lines, however long the lines are."""
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(["title", "date", "tags"])
    writer.writerows(rows)
    try:
        source = read_data("n.csv", text.getvalue().encode("utf-8", "replace"), {})
    except FeedsError:
        return
    assert accounted(source) == sum(any(map(str.strip, row)) for row in rows)


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No bytes cause any other error than one that the user can fix."""
    for name in ("n.yml", "n.json", "n.csv"):
        try:
            read_data(name, data, {})
        except FeedsError as error:
            assert str(error)

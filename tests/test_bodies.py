"""Bodies: what is published of them is valid HTML, and everything left out has a note."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bodies import bodies, near_links
from conftest import AS_OF, ROOT, program
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import Catalogue, CatalogueError, Entry, build_release
from feeds.catalogue import read_catalogue
from feeds.markdown import notes_on, render_body

NU = ROOT / "tests" / "nu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
HEAD = """
site: {title: T, url: "https://news.example.org/n/", id: "tag:news.example.org,2021:t"}
entries:
"""
ITEM = "- {{id: {id}, title: T, date: {date}, summary: S, body: {body}}}\n"
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def read(*items: tuple[str, str, str], as_of: datetime | None = None) -> Catalogue:
    """Read a catalogue of entries, each with an id, a date and a body."""
    texts = (ITEM.format(id=name, date=date, body=json.dumps(body)) for name, date, body in items)
    return read_catalogue([("f", (HEAD + "".join(texts)).encode())], as_of=as_of)


def read_if_valid(body: str) -> Catalogue | None:
    """Read a catalogue of an entry with a body; None if it is refused."""
    try:
        return read(("a", "2022-05-24", body))
    except CatalogueError:
        return None


CATALOGUE = read(("x", "2022-05-24", "A body."))
[ENTRY] = CATALOGUE.entries


def render(body: str, entry: Entry = ENTRY) -> str:
    return render_body(entry._replace(body=body), CATALOGUE.site)


def notes(body: str) -> list[str]:
    return [message for _, message in notes_on(body)]


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("~~struck~~ and ~not~", "<p><del>struck</del> and ~not~</p>"),
        ("- [x] done\n- [ ] to do", "<ul>\n<li>☑ done</li>\n<li>☐ to do</li>\n</ul>"),
        ("<noscript><i>x</i></noscript>", "<p><i>x</i></p>"),
        (
            "<noscript><img src='https://e.org/a.png'></noscript>",
            '<p><img src="https://e.org/a.png" alt=""></p>',
        ),
        ("a <iframe src='https://y.org/'>no <b>frames</b></iframe>", "<p>a </p>"),
        ("<div>a <textarea>b</textarea><xmp>c</xmp></div>", "<div>a </div>"),
        ("<video src='https://y.org/'>no <a href='/x'>video</a></video>", ""),
        ("<p lang='fr' dir='RTL' title='T' class='c' style='color: red'>x</p>",
         '<p lang="fr" dir="rtl" title="T">x</p>'),
        ('![a](https://e.org/a.png "T")',
         '<p><img src="https://e.org/a.png" alt="a" title="T"></p>'),
        ('[a](https://e.org/ "T")', '<p><a href="https://e.org/" title="T">a</a></p>'),
        ("<img alt='x'><a>y</a><a name='z'></a>", '<p>y<span id="x-z"></span></p>'),
        ("[x](https://я.рф/ä)", '<p><a href="https://xn--41a.xn--p1ai/%C3%A4">x</a></p>'),
        ("<a href='https://e.org/?tx_news[news]=5'>x</a>",
         '<p><a href="https://e.org/?tx_news%5Bnews%5D=5">x</a></p>'),
        ("[x](https://faß.de/)", '<p><a href="https://xn--fa-hia.de/">x</a></p>'),
        ("[x](tel:+41 22)", "<p>[x](tel:+41 22)</p>"),
        ("[x](https://e.org/a//b%2Fc)", '<p><a href="https://e.org/a//b%2Fc">x</a></p>'),
        ("<a href='tel:+41 22'>x</a>", '<p><a href="tel:+4122">x</a></p>'),
        ("[our site](www.example.org)", "<p>our site</p>"),
        ("<center><font color='red'>A</font></center>", "<div>A</div>"),
        ("<tt>a</tt> <strike>b</strike> <big>c</big> <acronym>d</acronym>",
         "<p><code>a</code> <s>b</s> c <abbr>d</abbr></p>"),
        ("<div><b><p>x</p></b></div>", "<div><p><b>x</b></p></div>"),
        ("<h2><div>A</div><div>B</div></h2>", "<h2>A<br>B</h2>"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("<table><tr><td rowspan='9'>x</td></tr></table>",
         "<table><tbody><tr><td>x</td></tr></tbody></table>"),
        ("<details>x<summary>y</summary></details>", "<details><summary>y</summary>x</details>"),
        ("#", ""),
        ("| a |\n|-:|", '<table>\n<thead>\n<tr>\n<th align="right">a</th>\n</tr>\n</thead>\n</table>'),
    ],
)  # fmt: skip
def test_a_body_is_published_as(body: str, html: str) -> None:
    """Markdown and HTML are published as they are meant, or left out as a whole."""
    assert render(body) == html


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("See https://e.org/a.", "https://e.org/a"),
        ("(https://e.org/a_(b))", "https://e.org/a_(b)"),
        ("“https://e.org/?a=1&b=2”", "https://e.org/?a=1&b=2"),
        ("HTTP://e.org/x, y", "HTTP://e.org/x"),
        ("请看https://www.ilo.org/beijing网站。", "https://www.ilo.org/beijing"),
        ("<em>https://e.org/</em>", "https://e.org/"),
        ("https://я.рф/ä!", "https://я.рф/ä"),
        ("`https://e.org/`", ""),
        ("    https://e.org/", ""),
        ("www.e.org me@e.org ftp://e.org mailto:me@e.org", ""),
        ("https:// https://localhost/ https://https://e.org/ xhttps://e.org/", ""),
        ("https://e.org/_a_", ""),
    ],
)
def test_a_bare_address_is_a_link(text: str, linked: str) -> None:
    """An http or https address becomes a link, without surrounding punctuation; code and other schemes do not."""
    html = etree.HTML(f"<div>{render(text)}</div>")
    assert [a.text for a in html.iter("a")] == [linked] * bool(linked)


def test_no_link_is_within_a_link() -> None:
    """An address that is the text of a link, in Markdown or in HTML, stays text."""
    html = render("[https://a.org](https://b.org) <a href='https://c.org/'>https://d.org/</a>")
    assert re.findall('href="([^"]*)"', html) == ["https://b.org", "https://c.org/"]


def test_footnotes_lead_there_and_back() -> None:
    """Footnotes link there and back, with accessible names; those of two entries never collide."""
    body = "One[^1] two[^n] three[^1].\n\n[^1]: ILO (2021)\n[^n]: See https://e.org/"
    found = [render(body, ENTRY._replace(id=name)) for name in ("a", "b")]
    document = etree.HTML(f"<div>{''.join(found)}</div>")
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 10
    for name, html in zip("ab", found, strict=True):
        page = f"https://news.example.org/n/entries/{name}/#"
        links = [a for a in etree.HTML(html).iter("a") if a.get("role")]
        assert len(links) == 6
        for link in links:
            href = link.get("href") or ""
            assert href.startswith(f"{page}{name}-fn")
            assert href.removeprefix(page) in ids
        labels = [link.get("aria-label") for link in links if link.get("role") == "doc-backlink"]
        assert labels == ["Back to reference 1", "Back to reference 1-2", "Back to reference 2"]
    assert notes(body) == []


@pytest.mark.parametrize("element", ["strong", "ol", "blockquote", "map", "h3"])
def test_only_the_section_of_footnotes_has_their_role(element: str) -> None:
    """No other element becomes the end notes: the role is not valid there, and nothing is added."""
    assert 'role="doc-endnotes"' in render("a[^1]\n\n[^1]: b")
    plain, marked = (render(f"<{element}{more}>x</{element}>") for more in ("", " data-footnotes"))
    assert plain == marked


def test_a_footnotes_number_is_not_part_of_an_abstract() -> None:
    """Plain text omits footnote numbers: `500[^1]` is not 5001."""
    items = [("a", "2022-05-24", "500[^1] workers\n\n[^1]: ILO")]
    source = (HEAD + ITEM.format(id="a", date="2022-05-24", body=json.dumps(items[0][2]))).replace(
        " summary: S,", ""
    )
    release = build_release(read_catalogue([("f", source.encode())]), as_of=AS_OF)
    assert b"<dcterms:abstract>500 workers " in release["atom.xml"].body


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("a\n\n<iframe\n  src='//y.org/1'\n></iframe>", 2, "<iframe> [text](https://y.org/1)"),
        ("a\n\n<embed src='https://y.org/x.swf'>", 2, "<embed> link"),
        ("a\n\n<object data='https://y.org/x.pdf'>x</object>", 2, "<object> https://y.org/x.pdf"),
        ("a\n<video><source src='https://y.org/v.mp4'></video>", 1, "<video> https://y.org/v.mp4"),
        ("a\n<audio src='https://y.org/v.mp3'></audio>", 1, "<audio> https://y.org/v.mp3"),
        ("`<iframe>`\n\n<iframe src='https://y.org/1'></iframe>", 2, "<iframe>"),
        ("a\n\n![x](data:image/png;base64,AAAA)", 2, "data:image/png media/"),
        ("a\n\n![x](file:///C:/x.png)", 2, "computer"),
        ("a\n\n<img data-src='https://y.org/a.png'>", 2, "'https://y.org/a.png'"),
        ("a\n\n[x](ftp://y.org/)", 2, "'ftp://y.org/' https://"),
        ("a\n\n[x][1]\n\n[1]: whatsapp://send?text=x", 4, "'whatsapp://send?text=x'"),
        ("a\n\n[x](javascript:alert%281%29)", 2, "'javascript:alert(1)'"),
        ("a\n\n<script>\nx\n</script>", 2, "<script> remove"),
        ("<form>a</form>", 0, "<form>"),
        ("a <input type=text>", 0, "<input>"),
        ("<button>Go</button>", 0, "<button> only its text"),
        ("<select><option>x</select>", 0, "<select>"),
        ("a\n\n<style>p {}</style>", 2, "<style> remove"),
        ("a <svg><text>x</text></svg>", 0, "<svg> ![description]"),
        ("a <math><mi>x</mi></math>", 0, "<math> formula"),
        ("a <textarea>x</textarea>", 0, "<textarea>"),
        ("<xmp>x</xmp>", 0, "<xmp> ```"),
        ("<p>a</p>\n<p onclick='x()'>b</p>", 1, "'onclick' remove"),
        ("<p lang='english'>a</p>", 0, "'english' pt-BR"),
        ("<p lang='fr_FR'>a</p>", 0, "'fr_FR'"),
        ("<p dir='up'>a</p>", 0, "'up' rtl"),
        ("<map><area href='https://y.org/'></map>", 0, "<map> [text](address)"),
        ("a\n\n<x-video data='https://y.org/'></x-video>", 2, "<x-video>"),
        ("a <Name> b", 0, "'<name…>' &lt;"),
        ("<p>a <https://y.org></p>", 0, "&lt;"),
        ("a[^9]", 0, "[^9]"),
        ("a\n\n[^a]: the *text*", 2, "[^a]"),
        ("a\n\n[b]: https://y.org/source", 2, "y org source [b]"),
        ("a [b]\n\n[b]: https://x.org/\n[b]: https://y.org/", 3, "'https y org' [b]"),
        ("| a | b |\n|---|---|\n| 1 | 2 | lost |", 2, "'lost' more cells"),
        ("<div><a href='https://x.org/'><table><tr><td><a href='https://y.org'>n</a></table></a>", 0,
         "'https://y.org' another link"),
        # Links.
        ("a\n\n[our site](www.example.org)", 2, "write https://www.example.org"),
        ("[x](example.org/news)", 0, "write https://example.org/news"),
        ("[x](un.org)", 0, "write https://un.org"),
        ("[x](localhost:8000/x)", 0, "write https://localhost:8000/x"),
        ("[write](press@example.org)", 0, "write mailto:press@example.org"),
        ("<a href=“https://example.org/”>x</a>", 0, "quotation marks write https://example.org/"),
        ("[x](https://example.org/”)", 0, "quotation marks write https://example.org/"),
        ("[x](\\\\server\\x.pdf)", 0, "computer or network"),
        ("[x](C:\\Users\\x.pdf)", 0, "computer or network"),
        ("[x](https:/example.org)", 0, "write https://example.org"),
        ("[x](http//example.org)", 0, "write https://example.org"),
        ("[x](htps://example.org)", 0, "write https://example.org"),
        ("[x](https:example.org)", 0, "write https://example.org"),
        ("[x](https;//example.org)", 0, "write https://example.org"),
        ("[x](https://https://example.org/)", 0, "write https://example.org/"),
        ("[x](http://http//example.org)", 0, "write https://example.org"),
        ("[x](https:\\\\example.org\\a)", 0, "write https://example.org/a"),
        ("[x](mailto:press)", 0, "mailto:name@example.org"),
        ("[x](tel:)", 0, "tel:+41227996111"),
        ("[x](https://a,b/)", 0, "'a,b'"),
        ("[x](https://me:secret@example.org/)", 0, "password"),
        ("[x](https://example.org/long…)", 0, "cut off"),
        ("a [x]() b", 0, "without an address"),
        ("a [x](https://example.org/my file.pdf)", 0, "](https://example.org/my file.pdf) %20"),
        ("a [x] (https://example.org)", 0, "] (https://example.org)"),
        ("<a href='https://example.org/my file.pdf'>x</a>", 0, "%20"),
        ("<a href='https://example.org/\u200b'>x</a>", 0, "U+200B"),
        ("<p>[x](https://example.org/)</p>", 0, "a blank line after HTML"),
    ],
)  # fmt: skip
def test_what_is_not_published_has_a_note(body: str, line: int, words: str) -> None:
    """Each thing that is not published as it is written has one note, with its line and a remedy."""
    [(found, message)] = notes_on(body)
    assert found == line
    assert all(word in message for word in words.split())
    assert message in [said.message for said in read(("a", "2022-05-24", body)).notes]


@pytest.mark.parametrize(
    "body",
    [
        "a <!-- comment --> b\n\n<!-- another -->\n\n[//]: # (a comment)",
        "<p class='MsoNormal' style='margin: 0' data-x='1' align='center'>a<o:p></o:p></p>",
        "<p><font color='red' face='Arial'>a</font><span lang='EN-US' style='x'>b</span></p>",
        "<div><st1:place w:st='on'><st1:country w:st='on'>Togo</st1:country></st1:place></div>",
        "<meta name='x'><link rel='x'><center>a</center><p>&nbsp;</p><a name='_Toc1'></a>",
        "<p lang=''>a</p><picture><source srcset='x.webp'><img src='https://e.org/x.png'></picture>",
        "[a](mailto:me@example.org) [b](tel:+41227996111) [c](mailto:?subject=x) <me@example.org>",
        "[a](reports/2022.pdf) [b](../x/) [c](/y) [d](?p=5) [e](#f) [g](//example.org/h)",
        "[a][1] ![b][c] [d]\n\n[1]: https://x.org/ 'T'\n[c]: https://y.org/c.png\n[D]: <https://z.org/>",
        "| a | b |\n|---|---|\n| `c\\|d` | 12 |\n| 3 |\n\n1. one\n2. two\n\n3) three",
        "```python title\n[^1] <iframe> [x](ftp://y)\n```\n\n`[^2]`\n\n    <script>",
        "a[^1] caf&eacute; `&eacute;` \\*b\\* R&D 50%25 [x](https://e.org/100%25)\n\n[^1]: b",
        "https://web.archive.org/web/2020/https://x.org/ www.x.org me@x.org ftp://x.org",
    ],
)
def test_nothing_is_said_of_what_people_never_see(body: str) -> None:
    """Markup that pasting from a word processor adds has no note, nor has markup that is published."""
    assert notes(body) == []


def test_the_same_thing_has_one_note() -> None:
    """A repeated loss has one note, and of many losses of one kind only the first have notes."""
    assert notes("<script>a</script>\n\n<script>b</script>")[0].endswith("(2 times)")
    many = notes(" ".join(f"[x](ftp://e.org/{number})" for number in range(9)))
    assert len(many) == 5
    assert many[-1].endswith("(and 4 more like it)")


# Each with what is in it and may be lost, for which a word of its own is put.
PIECES = [
    *("text {}", "*{}*", "[x](https://{}.org/)", "[{}](ftp://e.org/)", "> {}", "- {}", "`{}`"),
    *("[x](ftp://{}.org/)", "![x](data:image/png,{})", "[x](www.{}.org)", "[x]({}@e.org)"),
    *("<iframe src='https://{}.org'></iframe>", "<video src='https://{}.org'></video>"),
    *("<textarea>{}</textarea>", "<xmp>{}</xmp>", "<select><option>{}</select>", "<b>{}</b>"),
    *("<script>{}</script>", "<style>{}</style>", "<svg><text>{}</text></svg>", "<p>{}<p>"),
    *("<noscript>{}</noscript>", "<object>{}</object>", "<button>{}</button>", "<h2><p>{}</h2>"),
    *("<table><tr><td>{}<tr></table>", "<ul>{}</ul>", "<dl>{}</dl>", "<ruby>{}</ruby>"),
    *("<details>{}</details>", "<figure>{}<p></figure>", "<legend>{}</legend>", "<{}>x"),
    *("<p onclick='{}'>x</p>", "<p title='{}'>x</p>", "<p lang='{}'>x</p>", "<x-y z='{}'></x-y>"),
    *("a[^{}]", "a[^{}]\n\n[^{}]: b", "a\n\n[^{}]: b", "[a]: https://{}.org/", "~~{}~~"),
    *("| a |\n|---|\n| b | {} |", "| a |\n|---|\n| {} |", "https://{}.org/", "- [ ] {}"),
    *("[x](https://{}.org/ y)", "<img src='https://{}.org/'>", "<img alt='{}'>", "<time>{}</time>"),
]  # fmt: skip


@settings(max_examples=200, suppress_health_check=SLOW)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5))
def test_everything_that_is_not_published_has_a_note(pieces: list[str]) -> None:
    """In any combination of markup, each word is published, or is in a part with a note."""
    texts = [piece.replace("{}", f"word{number}") for number, piece in enumerate(pieces)]
    body = "\n\n".join(texts)
    html, found = render(body), notes_on(body)
    for number, text in enumerate(texts):
        first = sum(other.count("\n") + 2 for other in texts[:number])
        lines = range(first, first + text.count("\n") + 1)
        assert f"word{number}" in html or any(
            line in lines or message.endswith("times)") for line, message in found
        )


@settings(max_examples=150, suppress_health_check=SLOW)
@given(bodies | near_links)
def test_a_body_has_no_empty_link_and_no_empty_picture(body: str) -> None:
    """After sanitising, no link and no picture is without an address."""
    html = etree.HTML(f"<div>{render(body)}</div>")
    assert all(a.get("href") for a in html.iter("a"))
    assert all(image.get("src") and image.get("alt") is not None for image in html.iter("img"))


@settings(max_examples=150, suppress_health_check=SLOW)
@given(near_links | bodies)
def test_the_short_way_is_the_long_way(body: str) -> None:
    """A body without HTML renders the same with and without the shortcut, and each note on a body is one of its catalogue."""
    assert render(body) == render(f"<!-- -->\n\n{body}")
    catalogue = read_if_valid(body)
    if catalogue:
        said = {note.message for note in catalogue.notes}
        assert {*notes(catalogue.entries[0].body)} <= said


@pytest.mark.parametrize(
    "body",
    [
        *("**" * 3000 + "a" + "**" * 3000, "<b>" * 3000 + "a", "<div></b>" * 3000 + "a"),
        *("".join(f"{'  ' * depth}- a\n" for depth in range(300)), "<b><p>" * 500 + "a"),
        *("<table><tr><td>" * 300 + "a", "<i><div></b>" * 2000 + "a", "<a><b></a>" * 999 + "a"),
        "<h1>" + "<div></b>" * 3000 + "a",
    ],
    ids=range(9),
)
def test_deep_bodies_are_published(body: str) -> None:
    """A body with deeply nested elements is rendered and has its notes."""
    assert "a" in render(body)
    notes_on(body)


def test_links_to_entries_that_are_not_there_have_a_note() -> None:
    """A link to an entry that is not published is noted, in every spelling."""
    body = "\n".join(
        [
            *("[a](entries/b/)", "[a](entries/b)", "[a](entries/b/index.html#x)", "[a](#x)"),
            *("[a](https://news.example.org/n/entries/b/)", "[a](https://x.org/n/entries/z/)"),
            *("[a](entries/kenya-lw/)", "<a href='https://news.example.org/n/entries/none/'>x</a>"),
            "[a](//news.example.org/n/entries/other/?x)",
        ]
    )
    found = read(
        ("a", "2022-05-24", body), ("b", "2022-05-24", "x"), ("kenya-law", "2022-05-24", "x")
    ).notes
    assert [note.message for note in found] == [
        "leads to 'entries/kenya-lw/', which is not published; did you mean entries/kenya-law/?",
        "leads to 'entries/none/', which is not published",
        "leads to 'entries/other/', which is not published",
    ]


def test_links_to_what_is_held_back_have_a_note() -> None:
    """A link to an entry that is public later than the link is noted, if the time is known."""
    items = [
        ("a", "2022-05-24", "[b](entries/b/)"),
        ("b", "2022-06-01T10:00+01:00", "[a](entries/a/) [c](entries/c/)"),
        ("c", "2022-06-02", "[b](entries/b/)"),
    ]
    assert read(*items).notes == ()
    found = read(*items, as_of=datetime(2022, 5, 30, tzinfo=UTC)).notes
    assert [(note.entry, note.message) for note in found] == [
        ("a", "leads to the entry 'b', which is held back until 2022-06-01T10:00:00+01:00"),
        ("b", "leads to the entry 'c', which is held back until 2022-06-02T00:00:00+00:00"),
    ]
    assert read(*items, as_of=datetime(2022, 6, 3, tzinfo=UTC)).notes == ()


def test_a_picture_of_an_entry_that_is_held_back_has_a_note() -> None:
    """A picture of an entry that is held back is noted if an earlier body publishes it."""
    photo = ", photo: {url: media/market.jpg}}\n"
    text = HEAD + "".join(
        [
            ITEM.format(id="a", date="2022-05-24", body='"![x](media/market.jpg)"'),
            ITEM.format(id="b", date="2022-06-01", body='"x"').replace("}\n", photo),
        ]
    )
    media = ROOT / "tests" / "media"

    def messages(as_of: datetime | None) -> list[str]:
        found = read_catalogue([("f", text.encode())], media=media, as_of=as_of)
        return [note.message for note in found.notes]

    assert messages(None) == messages(datetime(2022, 6, 2, tzinfo=UTC)) == []
    [message] = messages(datetime(2022, 5, 30, tzinfo=UTC))
    assert message.startswith(
        "publishes 'media/market.jpg' before the entry 'b', which is held back until"
    )


def nu_messages(files: list[Path]) -> list[dict[str, str]]:
    """Return the errors that the Nu HTML checker finds in files."""
    java = program("java")
    if not NU.exists():
        program("vnu.jar (npm ci --prefix tests/nu)")
    command = [java, "-Xss32m", "-jar", str(NU), "--format", "json", "--stdout", *map(str, files)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    found: list[dict[str, str]] = json.loads(done.stdout)["messages"]
    return [message for message in found if message["type"] == "error"]


@pytest.mark.heavy
def test_the_nu_checker_finds_nothing_in_bodies(tmp_path: Path) -> None:
    """The Nu HTML checker accepts the HTML of 500 bodies of all kinds, and rejects a broken one."""
    found: list[str] = []

    @settings(max_examples=500, phases=[Phase.generate], suppress_health_check=SLOW, database=None)
    @given(bodies)
    def collect(body: str) -> None:
        catalogue = read_if_valid(body)
        valid = catalogue.entries[0].body if catalogue else ""
        found.append(render(valid, ENTRY._replace(id=f"e{len(found)}")))

    collect()
    head = "<!doctype html><html lang=en><meta charset=utf-8><title>T</title><h1>T</h1>\n"
    articles = "".join(f"<article>\n{html}\n</article>\n" for html in found)
    right, wrong = tmp_path / "right.html", tmp_path / "wrong.html"
    right.write_text(head + articles)
    wrong.write_text(f"{head}<p><ul></ul></p>")
    errors = nu_messages([right, wrong])
    assert len(found) >= 500
    assert any(error["url"].endswith("wrong.html") for error in errors)
    # The ranks of headings are the editor's.
    ours = [error for error in errors if error["url"].endswith("right.html")]
    assert [error for error in ours if "skipping" not in error["message"]] == []

"""Texts that are too long end at a word's end, or between two letters with all their signs."""

import json

import pytest
import regex
from conftest import AS_OF
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from reading import entries, read, site

from feeds import build_release
from feeds.catalogue import read_catalogue

FAMILY = "👨‍👩‍👧‍👦"
# Words in scripts that have no spaces between them.
SCRIPTS = {
    "zh": "日内瓦国际劳工组织发布社会保护报告",
    "ja": "国際労働機関は社会的保護に関する報告書を公表した",
    "th": "องค์การแรงงานระหว่างประเทศเผยแพร่รายงานการคุ้มครองทางสังคม",
    "km": "អង្គការពលកម្មអន្តរជាតិបានចេញផ្សាយរបាយការណ៍",
    "lo": "ອົງການແຮງງານສາກົນເຜີຍແຜ່ບົດລາຍງານ",
    "my": "အပြည်ပြည်ဆိုင်ရာအလုပ်သမားအဖွဲ့ကအစီရင်ခံစာထုတ်ပြန်ခဲ့သည်",
}
HEAD = "site: {title: T, url: https://e.org/, id: 'tag:e.org,2021:t'}\nentries:\n"


CUT = [
    ("short", "short"),
    ("字" * 300, "字" * 300),
    ("字" * 301, "字" * 300 + "…"),
    ("word " * 100, "word " * 59 + "word…"),
    ("日内瓦 " + "字" * 400, "日内瓦 " + "字" * 296 + "…"),
    ("x" * 260 + " " + "x" * 100, "x" * 260 + "…"),
    ("x" * 250 + " " + "x" * 100, "x" * 250 + " " + "x" * 49 + "…"),
    ("x" * 300 + " y", "x" * 300 + "…"),
    ("x" * 298 + FAMILY, "x" * 298 + "…"),
    ("x" * 299 + "e\u0301", "x" * 299 + "…"),
    ("x" * 298 + "🇰🇪🇰🇪", "x" * 298 + "🇰🇪…"),
    ("x" * 299 + "👍🏽", "x" * 299 + "…"),
    ("x" * 299 + "कि", "x" * 299 + "…"),
    ("x" * 297 + "ក្រុង", "x" * 297 + "…"),
    ("字" * 270 + "\u200b" + "字" * 100, "字" * 270 + "…"),
    ("x" + "\u0301" * 400, "x" + "\u0301" * 299 + "…"),
]


def listed(texts: list[str]) -> list[tuple[str, str]]:
    """Return summaries as they are read, each with what a list shows of it; at most forty."""
    items = ({"id": f"e{number}", "summary": text} for number, text in enumerate(texts))
    catalogue = read(site() + entries(*items))
    release = build_release(catalogue, as_of=AS_OF, formats=())
    page = etree.HTML(release["index.html"].body.decode())
    shown = ["".join(map(str, p.itertext())) for p in page.iterfind(".//article/p") if not p.attrib]
    return [*zip((entry.summary for entry in catalogue.entries), shown, strict=True)]


def test_a_text_is_cut() -> None:
    """A text is cut at a space near the end, or else between grapheme clusters, after at most 300 characters."""
    found = listed([text for text, _ in CUT])
    assert [shown for _, shown in found] == [shown for _, shown in CUT]


LETTERS = st.sampled_from([*"ab अकि់្1🇰👍🏽\u200d\u0301字ำ", "က္က", FAMILY, "e\u0301"])


@settings(max_examples=10)
@given(st.lists(st.lists(LETTERS, min_size=8).map("".join), min_size=40, max_size=40))
def test_no_cluster_is_cut_in_two(texts: list[str]) -> None:
    """Any truncated text ends at the end of a grapheme cluster, unless a single one is too long."""
    for text, shown in listed([f"{'x' * 290}{text}" for text in texts]):
        assert len(shown) <= 301
        if shown == text:
            continue
        end = len(shown) - 1
        ends = {cluster.end() for cluster in regex.finditer(r"\X", text)}
        spaces = {number for number, sign in enumerate(text) if sign == " "}
        assert text.startswith(shown[:-1])
        assert end in ends | spaces


@pytest.mark.parametrize("language", SCRIPTS)
def test_the_beginning_is_shown_in_every_script(language: str) -> None:
    """In scripts without spaces, abstracts and lists show almost 300 characters."""
    text = f"2021 {SCRIPTS[language] * 30}"
    items = (
        f"- {{id: {name}, title: T, date: 2022-05-24, {name}: {json.dumps(text)}}}\n"
        for name in ("summary", "body")
    )
    release = build_release(read_catalogue([("f", (HEAD + "".join(items)).encode())]), as_of=AS_OF)
    [abstract] = etree.fromstring(release["atom.xml"].body).iter(
        "{http://purl.org/dc/terms/}abstract"
    )
    [listed] = [
        p.text
        for p in etree.HTML(release["index.html"].body.decode()).iter("p")
        if (p.text or "").startswith("2021")
    ]
    assert abstract.text == listed
    assert 290 < len(listed or "") <= 301
    assert (listed or "").endswith("…")


@pytest.mark.parametrize("sign", ["က", "👩", "&", '"', "<"])
def test_a_page_of_forty_entries_stays_small(sign: str) -> None:
    """A page of forty long summaries is below 100 kB, in any script."""
    items = (
        f"- {{id: e{number}, title: T, date: 2022-05-24, summary: {json.dumps(sign * 5000)}}}\n"
        for number in range(40)
    )
    release = build_release(read_catalogue([("f", (HEAD + "".join(items)).encode())]), as_of=AS_OF)
    assert release["index.html"].body.count(b"<article") == 40
    assert len(release["index.html"].body) < 100_000

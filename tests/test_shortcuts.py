"""Shortcuts for ordinary values have the same results as the general code."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds import CatalogueError
from feeds.catalogue import read_catalogue
from feeds.catalogue.dates import MONTHS, parse_freely, read_date
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.source import SplitError, compose_part
from feeds.catalogue.text_fields import line, slug, slug_of, surely_shows
from feeds.catalogue.web_addresses import web_address
from feeds.markdown import shows_nothing

HEAD = "site: {title: T, url: https://e.org/, id: 'tag:e.org,2021:t'}\n"
ZONE = ZoneInfo("Europe/Zurich")


@given(
    st.from_regex(
        r"https?://[a-z0-9.-]{1,40}(/[A-Za-z0-9._~!$&'()*+,;=:@/-]{0,20}(\?[a-z=&/?]{0,8})?)?",
        fullmatch=True,
    )
)
@example("http://0/.")
def test_an_ordinary_address_is_itself(text: str) -> None:
    """An address that the shortcut returns unchanged is also unchanged by parsing."""
    # A capital letter prevents the shortcut.
    long_way, short_way = read_address(text.replace("://", "://X")), read_address(text)
    if long_way and short_way:
        assert short_way == long_way.replace("://x", "://")


def read_address(text: str) -> str:
    """Return an address, with a note or without one; '' if it is refused."""
    try:
        return web_address(text)
    except ValueWarning as remark:
        return str(remark.value)
    except InvalidValue:
        return ""


@given(st.text(st.sampled_from("ab9-_.é "), max_size=12))
def test_an_ordinary_slug_is_its_own_proposal(text: str) -> None:
    """An accepted slug is the one that would be proposed for it."""
    try:
        accepted = slug(text)
    except InvalidValue:
        return
    assert accepted == text == slug_of(text, words=None)


@given(st.text(st.sampled_from("ab \t\n\r\x85\u2028\u00a0\u3000é"), max_size=12))
def test_white_space_is_folded_everywhere(text: str) -> None:
    """A text that the shortcut leaves unfolded has nothing to fold."""
    folded = text
    for space in "\t\n\r\x85\u2028":
        folded = folded.replace(space, " ")
    while "  " in folded:
        folded = folded.replace("  ", " ")
    assert line(text) == folded.strip()


@given(
    st.lists(
        st.sampled_from(
            [
                *"aé1 \n\t<>[]()#*_-+&;!`~\\|:.'\"",
                *("<p>", "</p>", '<a href="b">', "<p", ' x="', "<!--", "-->"),
                *("<script>", "</script>", "<style>", "&nbsp;", "    ", "```", "[a]: "),
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_a_body_that_surely_shows_something_does(body: str) -> None:
    """A body that the shortcut finds visible has visible text."""
    assert not (surely_shows(body) and shows_nothing(body))


@given(st.integers(0, 40), st.sampled_from(MONTHS), st.integers(1000, 9999))
def test_a_plain_day_is_read_as_other_forms_are(day: int, month: str, year: int) -> None:
    """The shortcut for `24 May 2022` returns the result of the general parser."""
    text = f"{day} {month} {year}"
    try:
        found, whole_day = read_date(text, ZONE, "en")
    except InvalidValue:
        return
    parsed, also = parse_freely(text, ZONE, "en")
    assert (found, whole_day) == (parsed.replace(tzinfo=ZONE), also)
    assert found == datetime.strptime(text, "%d %B %Y").replace(hour=12, tzinfo=ZONE)


@pytest.mark.parametrize(
    "text",
    [
        *("- &a x", "- *a", "- !x y", "- !!str x", "- [&a x]", "- {a: *b}", "- ? &a x", "-\t&a x"),
        *(
            "- a: &b\n    c: d",
            "- - - &a x",
            "- x\n...\n",
            "---\n- x",
            "- x\n---\n- y",
            "- x\r--- y",
        ),
        "-\t" * 20 + "x",
        "- [" + "[\n" * 100_000,
    ],
)
def test_nothing_that_a_catalogue_has_not_is_composed(text: str) -> None:
    """Aliases, a second document, or nesting that could overflow the stack is refused in a part."""
    with pytest.raises(SplitError):
        compose_part(text)


@pytest.mark.parametrize(
    "text",
    [
        "- " + "[" * 20 + "]" * 20,
        "- " * 20 + "x",
        "- " + "{a: " * 20 + "x" + "}" * 20,
        "".join(f"{' ' * n}a{n}:\n" for n in range(20)),
        "- ? " + "? " * 20 + "x",
        "- " + "[a: " * 10 + "x" + "]" * 10,
        "- " + "".join(f"a:\n{' ' * n}-\n{' ' * n} " for n in range(2, 12)) + "x",
    ],
)
def test_depth_is_seen_however_it_is_written(text: str) -> None:
    """Items nested deeper than anything in a catalogue are refused and reported."""
    with pytest.raises(SplitError):
        compose_part(text)
    with pytest.raises(CatalogueError, match="is nested more than 16 deep"):
        read_catalogue([("f", f"{HEAD}entries:\n{text}\n".encode())])


@pytest.mark.parametrize(
    "text",
    ["- a: R&D, 5 * 3 = 15! & more", "- a: |\n    *x* & **y**\n    - z", "- 'it is --- so ...'"],
)
def test_ordinary_text_is_composed(text: str) -> None:
    """Ordinary texts may contain characters that have a meaning in YAML."""
    assert compose_part(text) is not None

"""Shortcuts for ordinary values have the same results as the general code."""

import calendar
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading import entries, messages, quoted, read, read_or_none, site

from feeds import CatalogueError
from feeds.catalogue import plain_lines
from feeds.markdown import shows_nothing

HEAD = "site: {title: T, url: https://e.org/, id: 'tag:e.org,2021:t'}\n"
ZONE = "Europe/Zurich"
BODY_ALONE = {"id": "a", "title": "A", "date": "2022-05-24"}
MONTHS = calendar.month_name[1:]


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


def refusals(items: str, key: str = "entries") -> list[str]:
    """Return the messages, with their places, on items that are refused.

    A file is not split at its items if the key is in quotes.
    """
    with pytest.raises(CatalogueError) as raised:
        read(f"{site()}{key}:\n{items}\n")
    return [str(problem) for problem in raised.value.problems]


def read_address(text: str) -> str:
    """Return an address, with a note or without one; '' if it is refused."""
    found = read_or_none(site() + entries({"link": text}))
    return found.entries[0].link if found else ""


@given(st.text(st.sampled_from("ab9-_.é "), max_size=12))
def test_an_ordinary_slug_is_its_own_proposal(text: str) -> None:
    """An accepted slug is the one that would be proposed for it in capital letters."""
    if read_or_none(site() + entries({"id": text})) is None or text == text.upper():
        return
    [message] = messages(site() + entries({"id": text.upper()}))
    assert message.endswith(f"; write {text!r}")


@given(st.text(st.sampled_from("ab \t\n\r\x85\u2028\u00a0\u3000é"), max_size=12))
def test_white_space_is_folded_everywhere(text: str) -> None:
    """A text that the shortcut leaves unfolded has nothing to fold."""
    folded = text
    for space in "\t\n\r\x85\u2028":
        folded = folded.replace(space, " ")
    while "  " in folded:
        folded = folded.replace("  ", " ")
    found = read_or_none(site() + entries({"title": text}))
    assert (found.entries[0].title if found else "") == folded.strip()


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
def test_a_body_that_is_accepted_shows_something(body: str) -> None:
    """A body that is accepted without being rendered has visible text."""
    found = read_or_none(f"{site()}entries:\n- {quoted(BODY_ALONE | {'body': body})}\n")
    if found and found.entries[0].body:
        assert not shows_nothing(found.entries[0].body)


@given(st.integers(0, 40), st.sampled_from(MONTHS), st.integers(1000, 9999))
def test_a_plain_day_is_read_as_other_forms_are(day: int, month: str, year: int) -> None:
    """The shortcut for `24 May 2022` returns what the general parser returns for `24. May 2022`."""
    plain, other = (
        read_or_none(site(timezone=ZONE) + entries({"date": text}))
        for text in (f"{day} {month} {year}", f"{day}. {month} {year}")
    )
    assert (plain and plain.entries) == (other and other.entries)
    if plain:
        noon = datetime(year, MONTHS.index(month) + 1, day, 12, tzinfo=ZoneInfo(ZONE))
        assert plain.entries[0].published == noon


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
def test_nothing_that_a_catalogue_has_not_is_read(text: str) -> None:
    """Aliases, a second document, or nesting that could overflow the stack is refused, in an item as in a whole file."""
    assert refusals(text) == refusals(text, '"entries"')


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
    said = refusals(text)
    assert any("is nested more than 16 deep" in one for one in said)
    assert said == refusals(text, '"entries"')


@pytest.mark.parametrize("reads_lines", ["yes", ""])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("R&D, 5 * 3 = 15! & more", "R&D, 5 * 3 = 15! & more"),
        ("|\n    *x* & **y**\n    - z", "*x* & **y**\n- z"),
        ("'it is --- so ...'", "it is --- so ..."),
    ],
)
def test_ordinary_text_is_read(
    text: str, value: str, reads_lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ordinary texts may contain characters that have a meaning in YAML."""
    monkeypatch.setattr(plain_lines, "ENABLED", bool(reads_lines))
    item = f"- id: a\n  title: A\n  date: 2022-05-24\n  body: {text}\n"
    assert read(f"{site()}entries:\n{item}").entries[0].body == value

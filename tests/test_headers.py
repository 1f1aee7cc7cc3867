"""HTTP headers as pure functions, with any input."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import AS_OF, SHIPPED, guarded
from hypothesis import given
from hypothesis import strategies as st
from served import app_of

from feeds import build_release, load_catalogue
from feeds.headers import CODINGS, IDENTITY, cache_control, compress, names_tag, unmodified_since

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HASH = "0123456789abcdef0123456789abcdef"
# What a WSGI server can hand on: bytes, as Latin-1.
LATIN = st.text(st.characters(max_codepoint=255))
TAGS = st.text(st.sampled_from('W/*", -:;gzipbr' + HASH))
RELEASE = build_release(load_catalogue(SHIPPED), as_of=AS_OF)
CLIENT = app_of(RELEASE, RELEASE.site).test_client()


def coding_for(accepted: str) -> str:
    """Return the content coding of a feed for a client, given its Accept-Encoding as a server hands it on."""
    answer = CLIENT.get("/atom.xml", environ_overrides={"HTTP_ACCEPT_ENCODING": accepted})
    assert answer.status_code == 200
    return answer.headers.get("Content-Encoding", IDENTITY)


@given(LATIN | st.text(st.sampled_from("gzip,br*;q=01. identy")))
def test_any_accept_encoding_has_an_answer(accepted: str) -> None:
    """Any Accept-Encoding results in a supported coding or identity."""
    assert coding_for(accepted) in {*CODINGS, IDENTITY}


@given(LATIN | TAGS)
def test_any_if_none_match_has_an_answer(tags: str) -> None:
    """If-None-Match matches only the whole hash, or `*`."""
    if names_tag(tags, HASH):
        assert HASH in tags or tags.strip() == "*"


@given(st.lists(LATIN.filter(lambda text: '"' not in text)), st.integers(0, 3))
def test_a_tag_is_found_in_any_list(others: list[str], place: int) -> None:
    """A tag is found among any other valid tags."""
    tags = [f'"{other}"' for other in others]
    tags.insert(place, f'W/"{HASH}"')
    assert names_tag(", ".join(tags), HASH)


@given(LATIN | st.text(st.sampled_from("Tue, 24 Nov 2026 10:00:00 GMT+-9")))
def test_any_if_modified_since_has_an_answer(since: str) -> None:
    """If-Modified-Since matches only a date between the change and now."""
    assert not unmodified_since(since, NOW + timedelta(seconds=1), NOW)


@given(st.integers(60, 86_400), st.integers(-10, 200_000))
def test_nothing_is_kept_past_the_next_change(max_age: int, ahead: int) -> None:
    """Cache-Control allows no answer after the end of the next embargo, fresh or while revalidating."""
    header = cache_control(max_age, NOW + timedelta(seconds=ahead), NOW)
    parts = dict(part.split("=") for part in header.split(", ")[1:])
    kept = int(parts["max-age"])
    assert 0 <= kept <= max_age
    assert kept + int(parts["stale-while-revalidate"]) <= max(ahead, 0)
    if ahead >= max_age + 60:
        assert header == cache_control(max_age, None, NOW)


@pytest.mark.parametrize("coding", CODINGS)
@given(st.binary(max_size=3000))
def test_compression_only_ever_makes_smaller(coding: str, body: bytes) -> None:
    """Compressed bytes are smaller and reproducible; bodies below a kilobyte are not compressed."""
    for content in (body, body * 20):
        smaller = compress(content, coding)
        assert smaller is None or len(smaller) < len(content)
        assert smaller == compress(content, coding)
        assert smaller is None or len(content) >= 1024


def test_no_header_costs_more_than_it_is_long() -> None:
    """No header takes quadratic time to parse."""
    size = 1_000_000
    with guarded():
        for hostile in (
            f'"{HASH}{"-" * size}"',
            '"' * size,
            f'"{HASH}-' * (size // 30),
            "W/" * (size // 2),
        ):
            assert not names_tag(hostile, HASH)
            coding_for(hostile)
            unmodified_since(hostile, NOW, NOW)

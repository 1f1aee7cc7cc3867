"""Parts of documents: players ask for them, of audio and video (RFC 9110 §14)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from conftest import CATALOGUES
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from stores import asked

from feeds.headers import byte_range

AGENCY = CATALOGUES / "agency.yaml"
AUDIO = "/media/interview.mp3"
WHOLE = (CATALOGUES / "media" / "interview.mp3").read_bytes()
SIZE = len(WHOLE)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with asked(AGENCY, tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=100-199", 100, 199),
        (f"bytes=400-{SIZE * 9}", 400, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes=-{SIZE * 9}", 0, SIZE - 1),
    ],
)
def test_a_part_is_sent(client: FlaskClient, wanted: str, first: int, last: int) -> None:
    """A range of bytes is answered with these bytes, their place, and the validators of the whole."""
    whole = client.get(AUDIO)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = client.get(AUDIO, headers={"Range": wanted})
    assert part.status_code == 206
    assert part.data == WHOLE[first : last + 1]
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert part.content_length == last - first + 1
    for name in ("ETag", "Content-Type", "Cache-Control", "Vary"):
        assert part.headers[name] == whole.headers[name]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE * 2}-{SIZE * 3}", "bytes=-0"])
def test_a_part_behind_the_end_is_refused(client: FlaskClient, wanted: str) -> None:
    """A range of which there is no byte is answered with the document's length."""
    answer = client.get(AUDIO, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "wanted", ["bytes=5-2", "bytes=0-1,5-6", "bytes=", "bytes=a-b", "lines=0-1", "0-1", ""]
)
def test_what_is_no_single_range_is_ignored(client: FlaskClient, wanted: str) -> None:
    """An invalid Range, several ranges and other units are answered with the whole document."""
    answer = client.get(AUDIO, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, WHOLE)


def test_only_get_and_only_of_files_has_parts(client: FlaskClient) -> None:
    """HEAD, and documents that may be compressed, have no parts."""
    head = client.head(AUDIO, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content_length) == (200, SIZE)
    for path in ("/atom.xml", "/", "/media/coverage.csv"):
        answer = client.get(path, headers={"Range": "bytes=0-1"})
        assert answer.status_code == 200
        assert "Accept-Ranges" not in answer.headers


def test_a_part_is_of_the_document_that_the_client_has(client: FlaskClient) -> None:
    """If-Range with the current validator gets the part, with any other the whole document."""
    whole = client.get(AUDIO)
    current = [whole.headers["ETag"], whole.headers["Last-Modified"]]
    for validator in [*current, '"other"', f"W/{current[0]}", "Sat, 01 Jan 2000 00:00:00 GMT"]:
        answer = client.get(AUDIO, headers={"Range": "bytes=0-1", "If-Range": validator})
        assert answer.status_code == (206 if validator in current else 200), validator
    known = client.get(AUDIO, headers={"Range": "bytes=0-1", "If-None-Match": current[0]})
    assert known.status_code == 304


def test_a_server_sends_parts(served: Callable[[Path], str]) -> None:
    """Over a socket, a part is what a player asked for."""
    request = Request(served(AGENCY) + AUDIO.removeprefix("/"), headers={"Range": "bytes=2-9"})
    with urlopen(request) as answer:
        assert (answer.status, answer.read()) == (206, WHOLE[2:10])


@given(
    st.text("bytes=0123456789-, ", max_size=20) | st.from_regex(r"bytes=\d*-\d*"), st.integers(1)
)
def test_a_range_is_within_the_document(header: str, length: int) -> None:
    """Whatever is asked for, a part begins and ends within the document, or there is none."""
    found = byte_range(header, length)
    if found and found[0] <= found[1]:
        assert 0 <= found[0] <= found[1] < length

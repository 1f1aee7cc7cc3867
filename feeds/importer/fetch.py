"""The bytes of a source: a file, or an address of which nothing beyond its own site is fetched."""

import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from feeds.errors import FeedsError
from feeds.notify.http import RequestError, is_same_site, request
from feeds.urls import web_host

# Twenty years of news with their texts have a few megabytes.
MAX_BYTES = 32_000_000
_MAX_SECONDS = 300


class Fetched(NamedTuple):
    """What is at a path or an address. `url` is the address after redirects; empty for a file."""

    name: str
    data: bytes
    url: str = ""

    @property
    def start(self) -> bytes:
        """The first bytes after a byte order mark and white space."""
        return self.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:8]


def read_file(path: Path) -> Fetched:
    """Return a file; raises FeedsError if it cannot be read, or is too large."""
    if path.exists() and not path.is_file():
        raise FeedsError(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        remedy = "" if path.suffix else "; an address begins with https:// or http://"
        raise FeedsError(f"{path} cannot be read: {error.strerror}{remedy}") from None
    return Fetched(str(path), _checked(str(path), data))


class Fetcher:
    """Fetches an address, and further pages of the same site, within a time limit for all together."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._deadline = time.monotonic() + _MAX_SECONDS
        self._total = 0

    def first(self) -> Fetched:
        """Return what is at the address; raises FeedsError."""
        if not web_host(self._url):
            raise FeedsError(f"{self._url} is not a valid web address")
        return self._get(self._url)

    def next(self, link: str, page: Fetched) -> Fetched | None:
        """Return the page that a fetched page links to; None if it is not at the same site.

        Raises FeedsError.
        """
        try:
            url = urljoin(page.url, link)
            if urlsplit(page.url).scheme == "https" and url.startswith("http://"):
                url = f"https://{url.removeprefix('http://')}"
        except ValueError:
            return None
        return self._get(url) if web_host(url) and is_same_site(url, page.url) else None

    def _get(self, url: str) -> Fetched:
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise FeedsError(f"{self._url}: reading it takes more than {_MAX_SECONDS} seconds")
        try:
            response = request("GET", url, site=self._url, timeout=min(seconds, 60), stay=True)
        except RequestError as error:
            raise FeedsError(str(error)) from None
        if not response.is_success:
            raise FeedsError(f"{url} answers with the status {response.status}")
        self._total += len(response.body)
        if self._total > MAX_BYTES:
            raise FeedsError(f"{self._url} has more than {MAX_BYTES:,} bytes")
        return Fetched(response.url, _checked(url, response.body), response.url)


def _checked(name: str, data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise FeedsError(
            f"{name} has more than {MAX_BYTES:,} bytes; divide it, and import each part"
        )
    if not data.strip():
        raise FeedsError(f"{name} is empty")
    return data

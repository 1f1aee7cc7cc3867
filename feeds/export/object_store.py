"""Objects in a bucket, each request bounded in time; what a store refuses, as a message.

This is the only module that knows obstore. What obstore says of an error is
never shown: it repeats requests and answers, and nobody knows what is in them.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple

from feeds.errors import FeedsError
from feeds.export.aws_files import aws_settings
from feeds.export.bucket_address import NOWHERE, SCHEMES, bare_host, checked, endpoint_of, guard

_RETRIES = 3
# In seconds.
_CONNECT = 5.0
# As many as one answer lists, or one request removes.
PAGE = 1000
# No site has so many documents.
MAX_OBJECTS = 500_000
# A whole list may take as many times as long as a request.
_LONG_LIST = 10
# A page may take a little longer than a request with its retries.
_SPARE = 1.5
# In bytes, of what is read from a store: a manifest.
_MAX_SIZE = 100_000_000
_YES = {"1", "true", "yes", "on"}
_CONFLICTS = {"PreconditionError", "AlreadyExistsError"}
_STATUS = re.compile(r"status code: (\d{3})")

_REFUSES = (
    "the store refuses these credentials; check {variables}, and that they may list, read, write"
    " and delete there"
)
_MISSING = "there is no such bucket"
_UNABLE = "the store knows no conditional writes, without which two publishes would collide"
_SILENT = "the store does not answer within {bound} seconds; try again"
_FAR = "the store cannot be reached; check the address and the network"
_LEADS = (
    "the store redirects to another address, which is refused; check its address and its region"
)
_ENDLESS = "the store lists objects without end; check its address, and what else is there"
_FAILS = "the store, or the way to it, fails; try again"
_PANICS = "obstore gives up over what it is told; check {variables}, and what else names the store"
# By the name of the error, the status of the answer, or what obstore says of the connection.
_KINDS = {
    "PermissionDeniedError": _REFUSES,
    "UnauthenticatedError": _REFUSES,
    "FileNotFoundError": _MISSING,
    "NotImplementedError": _UNABLE,
}
_STATUSES = {"401": _REFUSES, "403": _REFUSES, "404": _MISSING, "405": _UNABLE, "501": _UNABLE}
_SIGNS = {"kind: Timeout": _SILENT, "kind: Connect": _FAR}


class Conflict(Exception):
    """An object is no longer, or not yet, what it was to be replaced as."""


class Version(NamedTuple):
    """Which version of an object there is, in the words of its store; the ETag is without quotes."""

    etag: str
    version: str | None = None


class Stored(NamedTuple):
    """What a store says of an object: its size in bytes, and its version."""

    size: int
    version: Version


class Store:
    """The objects below an address, by path; any thread may use it.

    One try of a request is given up after `timeout` seconds, and the request
    with its retries after `bound`. Every method raises FeedsError, which names
    the address, where the store cannot do what is asked.
    """

    def __init__(self, address: str, environment: Mapping[str, str], timeout: float) -> None:
        self.bound = 2 * timeout
        parts = checked(address)
        prefix, self._variables = SCHEMES[parts.scheme]
        try:
            # An extra, and of no use to who publishes to no bucket.
            from obstore import store as obstore  # noqa: PLC0415
            from obstore.exceptions import BaseError  # noqa: PLC0415
        except ImportError:
            raise FeedsError(
                "publishing to a bucket needs obstore: install feeds[s3], or obstore beside it"
            ) from None
        self._errors = (BaseError, ValueError, OSError, NotImplementedError)
        settings = aws_settings(environment) if parts.scheme == "s3" else {}
        endpoint = endpoint_of(prefix, environment, settings)
        allow_http = environment.get(f"{prefix}_ALLOW_HTTP", "").lower() in _YES
        self.address = address.rstrip("/") + (f" at {bare_host(endpoint)}" if endpoint else "")
        if endpoint.startswith("http:") and not allow_http:
            raise FeedsError(
                f"{self.address}: is without TLS; where it is to be so,"
                f" set {prefix}_ALLOW_HTTP=true"
            )
        try:
            known = "access_key_id" in settings or environment.get("AWS_ACCESS_KEY_ID")
            from_url: Any = obstore.from_url
            self._store = from_url(
                address,
                config=settings,
                client_options={
                    "timeout": timedelta(seconds=timeout),
                    "connect_timeout": timedelta(seconds=min(timeout, _CONNECT)),
                    "allow_http": allow_http,
                    **guard(endpoint, known=bool(known)),
                },
                retry_config={
                    "max_retries": _RETRIES,
                    # With the pause after it, and a last try, this makes `bound`.
                    "retry_timeout": timedelta(seconds=timeout * 3 / 4),
                    "backoff": {"max_backoff": timedelta(seconds=timeout / 4)},
                },
            )
        except self._errors:
            raise FeedsError(
                f"{self.address}: the store is not fully told; set {self._variables}"
            ) from None

    def read(self, path: str) -> tuple[bytes, Version] | None:
        """Give an object's bytes and its version; None where there is none."""
        with self._telling(path):
            try:
                found = self._store.get(path)
            except FileNotFoundError:
                return None
            if found.meta["size"] > _MAX_SIZE:
                raise FeedsError(f"{self.address}: is too large ({path})")
            version = Version(_bare(found.meta["e_tag"]), found.meta.get("version"))
            return bytes(found.bytes()), version

    def version(self, path: str) -> Version | None:
        """Give the version of an object that there is at present; None where there is none."""
        with self._telling(path):
            try:
                found = self._store.head(path)
            except FileNotFoundError:
                return None
        return Version(_bare(found["e_tag"]), found.get("version"))

    def swap(
        self, path: str, body: bytes, attributes: Mapping[str, str], before: Version | None
    ) -> Version:
        """Put an object in the place of this very version, or of none; raises Conflict."""
        mode: Any = "create"
        if before:
            mode = {"e_tag": f'"{before.etag}"'} | (
                {"version": before.version} if before.version else {}
            )
        with self._telling(path):
            found = self._store.put(path, body, attributes={**attributes}, mode=mode)
        return Version(_bare(found["e_tag"]), found["version"])

    def list(self) -> dict[str, Stored]:
        """Return every object below the address."""
        found: dict[str, Stored] = {}
        end = time.monotonic() + _LONG_LIST * self.bound
        with self._telling():
            for page in self._pages():
                known = len(found)
                for one in page:
                    version = Version(_bare(one["e_tag"]), one.get("version"))
                    found[one["path"]] = Stored(one["size"], version)
                repeats = len(found) < known + len(page)
                if repeats or len(found) > MAX_OBJECTS or time.monotonic() > end:
                    raise FeedsError(f"{self.address}: {_ENDLESS}")
        return found

    def _pages(self) -> Iterator[Sequence[Any]]:
        """Return the pages of the list; raises FeedsError if one does not come in time.

        obstore asks for pages until one has an object, and cannot be interrupted.
        """
        pages: Queue[Sequence[Any] | BaseException | None] = Queue(1)

        def ask() -> None:
            try:
                for page in self._store.list(chunk_size=PAGE):
                    pages.put(page)
                pages.put(None)
            except BaseException as error:  # noqa: BLE001  # raised again by the caller
                pages.put(error)

        Thread(target=ask, daemon=True).start()
        while True:
            try:
                page = pages.get(timeout=_SPARE * self.bound)
            except Empty:
                raise FeedsError(f"{self.address}: {_ENDLESS}") from None
            if page is None:
                return
            if isinstance(page, BaseException):
                raise page
            yield page

    def delete(self, paths: Sequence[str]) -> None:
        """Take objects away, where they are there; at most as many as `PAGE`."""
        with self._telling():
            self._store.delete([*paths])

    @contextmanager
    def _telling(self, path: str = "") -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            if type(error).__name__ in _CONFLICTS:
                raise Conflict from None
            of = f" ({path})" if path else ""
            raise FeedsError(f"{self.address}: {self._reason(error)}{of}") from None
        except BaseException as error:
            # What obstore's own language raises is no Exception, and cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            told = _PANICS.format(variables=self._variables)
            raise FeedsError(f"{self.address}: {told}") from None

    def _reason(self, error: Exception) -> str:
        text = str(error)
        if f"{NOWHERE}," in text:
            return _LEADS
        found = _STATUS.search(text)
        kind = _KINDS.get(type(error).__name__) or _STATUSES.get(found[1] if found else "")
        if kind is None and found and found[1].startswith("3"):
            return _LEADS
        if kind is None and found:
            return f"the store answers {found[1]}; try again"
        if kind is None:
            kind = next((told for sign, told in _SIGNS.items() if sign in text), _FAILS)
        return kind.format(variables=self._variables, bound=f"{self.bound:g}")


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')

"""An object store, with a time limit for each request, and errors as messages.

This is the only module that uses obstore. What obstore reports of an error is never
shown: it contains requests and responses, and so possibly secrets.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from feeds.errors import FeedsError
from feeds.urls import web_host

# What one response lists at most, and one request deletes.
PAGE_SIZE = 1000
_MAX_OBJECTS = 500_000
# Of an object that is read: a manifest.
_MAX_BYTES = 100_000_000
_RETRIES = 3
_CONNECT_SECONDS = 5.0
# The time limit of a whole list, and of one page of it, in time limits of a request.
_LIST_DEADLINES = 10
_PAGE_DEADLINES = 1.5

# For each scheme: the prefix of its environment variables, and those with the credentials.
_SCHEMES = {
    "s3": ("AWS", "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION"),
    "gs": ("GOOGLE", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE", "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
}
_TRUE = {"1", "true", "yes", "on"}
# No server can listen there: as a proxy, it stops all requests.
_UNREACHABLE = "127.0.0.1:0"

_CONFLICTS = {"PreconditionError", "AlreadyExistsError"}
_ENDLESS = "the store lists objects without end; check its address, and what else is there"
_REFUSED = (
    "the store refuses these credentials; check {variables}, and that they may list, read, write"
    " and delete there"
)
_REDIRECTED = (
    "the store redirects to another address, which is refused; check its address and its region"
)
_NOT_CONDITIONAL = (
    "the store does not support conditional writes, without which two publishes would collide"
)
# By patterns of the name and the text of obstore's error; the first that matches counts.
_REASONS = {
    r"^PanicException:": "obstore fails with these settings; check {variables}, and the address",
    rf"{re.escape(_UNREACHABLE)},": _REDIRECTED,
    r"^(PermissionDenied|Unauthenticated)Error:": _REFUSED,
    r"^FileNotFoundError:|status code: 404": "the bucket does not exist",
    r"^NotImplementedError:|status code: (405|501)": _NOT_CONDITIONAL,
    r"status code: 40[13]": _REFUSED,
    r"status code: 3\d\d": _REDIRECTED,
    r"status code: (?P<status>\d{3})": "the store answers {status}; try again",
    r"kind: Timeout": "the store does not answer within {deadline:g} seconds; try again",
    r"kind: Connect": "the store cannot be reached; check the address and the network",
}


class Conflict(Exception):
    """The object is not the version that was to be replaced."""


class Version(NamedTuple):
    """The version of an object, as its store names it; the ETag is without quotes."""

    etag: str
    version: str | None = None


class ObjectInfo(NamedTuple):
    """What a store lists of an object: its size in bytes, and its version."""

    size: int
    version: Version


class ObjectStore:
    """The objects below an address, by path; for use by any thread.

    An attempt of a request is given up after `timeout` seconds, and the request with
    its retries after `deadline` seconds. Every method raises FeedsError, with the
    address, if the store cannot do what is requested.
    """

    def __init__(self, address: str, environment: Mapping[str, str], timeout: float) -> None:
        self.deadline = 2 * timeout
        scheme = _scheme(address)
        prefix, self._variables = _SCHEMES[scheme]
        try:
            # An optional dependency, needed only for buckets.
            from obstore import store as obstore  # noqa: PLC0415
            from obstore.exceptions import BaseError  # noqa: PLC0415
        except ImportError:
            raise FeedsError(
                "publishing to a bucket needs obstore: install feeds[s3], or obstore itself"
            ) from None
        self._errors = (BaseError, ValueError, OSError, NotImplementedError)
        if scheme == "s3":
            _check_aws_environment(environment)
        endpoint = _endpoint(prefix, environment)
        allow_http = environment.get(f"{prefix}_ALLOW_HTTP", "").lower() in _TRUE
        # Without user and path, which may hold secrets.
        origin = f"{urlsplit(endpoint).scheme}://{urlsplit(endpoint).netloc.rpartition('@')[2]}"
        self.address = address.rstrip("/") + (f" at {origin}" if endpoint else "")
        if endpoint.startswith("http:") and not allow_http:
            raise FeedsError(
                f"{self.address}: does not use TLS; if that is intended,"
                f" set {prefix}_ALLOW_HTTP=true"
            )
        has_credentials = bool(environment.get("AWS_ACCESS_KEY_ID"))
        try:
            from_url: Any = obstore.from_url
            self._store = from_url(
                address,
                client_options={
                    "timeout": timedelta(seconds=timeout),
                    "connect_timeout": timedelta(seconds=min(timeout, _CONNECT_SECONDS)),
                    "allow_http": allow_http,
                    **_redirect_guard(endpoint, has_credentials=has_credentials),
                },
                retry_config={
                    "max_retries": _RETRIES,
                    # With the pause after it and a last attempt, this makes `deadline`.
                    "retry_timeout": timedelta(seconds=timeout * 3 / 4),
                    "backoff": {"max_backoff": timedelta(seconds=timeout / 4)},
                },
            )
        except self._errors:
            raise FeedsError(
                f"{self.address}: the store configuration is incomplete; set {self._variables}"
            ) from None

    def read(self, path: str) -> tuple[bytes, Version] | None:
        """Return an object's bytes and its version; None if it does not exist."""
        with self._errors_as_messages(path):
            try:
                found = self._store.get(path)
            except FileNotFoundError:
                return None
            if found.meta["size"] > _MAX_BYTES:
                raise FeedsError(f"{self.address}: is too large ({path})")
            return bytes(found.bytes()), _version(found.meta)

    def version(self, path: str) -> Version | None:
        """Return the current version of an object; None if it does not exist."""
        with self._errors_as_messages(path):
            try:
                return _version(self._store.head(path))
            except FileNotFoundError:
                return None

    def swap(
        self, path: str, body: bytes, headers: Mapping[str, str], before: Version | None
    ) -> Version:
        """Replace this version of an object, or create it; raises Conflict."""
        mode: Any = "create"
        if before:
            mode = {"e_tag": f'"{before.etag}"'}
            if before.version:
                mode["version"] = before.version
        with self._errors_as_messages(path):
            return _version(self._store.put(path, body, attributes={**headers}, mode=mode))

    def list(self) -> dict[str, ObjectInfo]:
        """Return every object below the address."""
        with self._errors_as_messages():
            try:
                return asyncio.run(self._list())
            except TimeoutError:
                raise FeedsError(f"{self.address}: {_ENDLESS}") from None

    async def _list(self) -> dict[str, ObjectInfo]:
        """Return every object; raises TimeoutError if the list, or one page of it, takes too long.

        obstore requests pages until one has an object: only in a coroutine can it be interrupted.
        """
        found: dict[str, ObjectInfo] = {}
        pages = self._store.list(chunk_size=PAGE_SIZE)
        page_seconds = _PAGE_DEADLINES * self.deadline
        async with asyncio.timeout(_LIST_DEADLINES * self.deadline):
            while (page := await asyncio.wait_for(anext(pages, None), page_seconds)) is not None:
                known = len(found)
                found |= {meta["path"]: ObjectInfo(meta["size"], _version(meta)) for meta in page}
                if len(found) < known + len(page) or len(found) > _MAX_OBJECTS:
                    raise TimeoutError
        return found

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects, at most `PAGE_SIZE`; those that do not exist are ignored."""
        with self._errors_as_messages():
            self._store.delete([*paths])

    @contextmanager
    def _errors_as_messages(self, path: str = "") -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # A panic in Rust is not an Exception, and its class cannot be imported.
            name = type(error).__name__
            if not isinstance(error, self._errors) and name != "PanicException":
                raise
            if name in _CONFLICTS:
                raise Conflict from None
            place = f" ({path})" if path else ""
            reason = self._reason(f"{name}: {error}")
            raise FeedsError(f"{self.address}: {reason}{place}") from None

    def _reason(self, text: str) -> str:
        """Return the message for an error of obstore."""
        for pattern, reason in _REASONS.items():
            if found := re.search(pattern, text):
                known = {"variables": self._variables, "deadline": self.deadline}
                return reason.format(**found.groupdict(), **known)
        return "the store, or the connection to it, fails; try again"


def _version(meta: Mapping[str, Any]) -> Version:
    return Version((meta["e_tag"] or "").strip('"'), meta.get("version"))


def _scheme(address: str) -> str:
    """Return the scheme of a bucket's address; raises FeedsError, without a secret in the address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise FeedsError("the address of the bucket is not valid") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise FeedsError(
            f"{parts.scheme}://…: the address must not have a user, password or query;"
            " credentials come from the environment"
        )
    if parts.scheme == "file":
        raise FeedsError(f"{address}: is a folder; write it with `feeds export`")
    if parts.scheme not in _SCHEMES or not parts.netloc:
        known = ", ".join(f"{scheme}://bucket/prefix" for scheme in _SCHEMES)
        raise FeedsError(f"{address!r} is not the address of a bucket; write it like {known}")
    return parts.scheme


def _check_aws_environment(environment: Mapping[str, str]) -> None:
    """Raise FeedsError for a variable that cannot be sent, or a profile without credentials."""
    for name, value in environment.items():
        # Text that is pasted into the settings of a CI system often ends with a line break.
        if name.startswith("AWS_") and not value.isprintable():
            raise FeedsError(f"{name} has a line break, or another character that is not printable")
    profile = environment.get("AWS_PROFILE")
    if profile and not environment.get("AWS_ACCESS_KEY_ID"):
        raise FeedsError(
            "AWS_PROFILE: profiles are not read; put the credentials into the environment with"
            f" `aws configure export-credentials --profile {profile} --format env`"
        )


def _endpoint(prefix: str, environment: Mapping[str, str]) -> str:
    """Return the URL of a store of another provider, if one is set; raises FeedsError."""
    names = (f"{prefix}_ENDPOINT_URL_S3", f"{prefix}_ENDPOINT_URL", f"{prefix}_ENDPOINT")
    name = next(filter(environment.get, names), "")
    endpoint = environment.get(name, "")
    is_url = web_host(endpoint) and endpoint.isprintable() and " " not in endpoint
    if endpoint and not is_url:
        raise FeedsError(
            f"{name} is not the URL of a store; write it like https://store.example.org:9000"
        )
    return endpoint


def _redirect_guard(endpoint: str, *, has_credentials: bool) -> dict[str, str]:
    """Return client options that make all hosts but the endpoint's unreachable.

    obstore follows redirects, and has no option against it. Without credentials, it must
    request them from other hosts; and a proxy of the user decides itself.
    """
    has_proxy = getproxies().keys() & {"http", "https", "all"}
    if not endpoint or not has_credentials or has_proxy:
        return {}
    host = urlsplit(endpoint).hostname or ""
    return {"proxy_url": f"http://{_UNREACHABLE}", "proxy_excludes": host}

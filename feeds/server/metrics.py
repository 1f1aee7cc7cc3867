"""`/metrics` for Prometheus: the state of a served site, and the requests by status."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.errors import FeedsError
from feeds.headers import NOSNIFF
from feeds.server.request_counts import RequestCounts
from feeds.server.served_site import ServedSite
from feeds.urls import METRICS

if TYPE_CHECKING:
    from prometheus_client import Metric

_PATH = f"/{METRICS}"
# What `generate_latest` writes, in each version of the library.
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def require_library() -> None:
    """Raise FeedsError if the library that writes metrics, an optional one, is not installed."""
    try:
        import prometheus_client  # noqa: F401, PLC0415  # only with `metrics`
    except ImportError:
        raise FeedsError(
            "/metrics needs prometheus-client; run: pip install 'feeds[metrics]'"
        ) from None


def with_metrics(app: WSGIApplication, site: ServedSite) -> WSGIApplication:
    """Return an application with `/metrics`, or the same one if the site does not count requests.

    Raises FeedsError if the library is not installed.
    """
    if site.requests is None:
        return app
    require_library()
    return _MetricsMiddleware(app, site, site.requests)


class _MetricsMiddleware:
    """Answers `/metrics`, and counts all other requests that an application answers."""

    def __init__(self, app: WSGIApplication, site: ServedSite, requests: RequestCounts) -> None:
        self._app = app
        self._site = site
        self._requests = requests

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ["PATH_INFO"] == _PATH and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return self._answer(environ, start_response)

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: Any = None,  # noqa: ANN401  # passed on (PEP 3333)
        ) -> Callable[[bytes], object]:
            self._requests.count(int(status[:3]))
            return start_response(status, headers, exc_info)

        return self._app(environ, start)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        from prometheus_client import generate_latest  # noqa: PLC0415  # see require_library

        body = generate_latest(self)
        headers = [
            ("Content-Type", _MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            NOSNIFF,
        ]
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def collect(self) -> Iterator["Metric"]:
        """Yield each metric; nothing in it was written by an editor."""
        from prometheus_client.core import (  # noqa: PLC0415  # see require_library
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        head = self._site.index.head if self._site.index else None
        degraded = head is None or self._site.status().degraded
        states: dict[str, tuple[str, float | None]] = {
            "feeds_degraded": ("1 if /healthz is not ok, else 0.", degraded),
        }
        if head is not None:
            states |= {
                "feeds_entries_published": ("Entries that are public.", head.entries),
                "feeds_entries_held_back": ("Entries that become public later.", head.held_back),
                "feeds_last_publish_timestamp_seconds": (
                    "When the release that is served was built.",
                    head.since.timestamp(),
                ),
            }
        for name, (text, value) in states.items():
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)
        requests = CounterMetricFamily(
            "feeds_requests", "Requests, except those of /metrics.", labels=["status"]
        )
        for status, number in self._requests.totals().items():
            requests.add_metric([str(status)], number)
        yield requests

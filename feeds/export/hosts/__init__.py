"""What a web server or a host must be told to serve a folder as `feeds serve` would."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from feeds.errors import FeedsError
from feeds.export.hosts.rules import Serving
from feeds.inputs import digest
from feeds.model import Site
from feeds.plans import Plan

# What has this type is not compressed for readers: see `pays`. Neither is a document at a
# moved address, as GitHub Pages would not send what is compressed.
_UNCOMPRESSED = "application/octet-stream"

# By the names of `--host`; each module has a function `files`.
HOSTS = {
    "nginx": "nginx",
    "apache": "apache",
    "caddy": "caddy",
    "netlify": "netlify",
    "cloudflare-pages": "cloudflare",
    "github-pages": "github",
}


def host_plans(host: str, plans: Iterable[Plan], site: Site, *, compressed: bool) -> list[Plan]:
    """Return the plans of the files for a host; none without a host.

    `plans` are those of the site's documents. Raises FeedsError where the host's
    configuration cannot say what is needed.
    """
    if not host:
        return []
    files: Callable[[Serving], Mapping[str, bytes | Plan]]
    files = import_module(f"feeds.export.hosts.{HOSTS[host]}").files
    documents = {plan.path: plan for plan in plans}
    found = files(Serving(documents, site, compressed=compressed))
    for path in found.keys() & documents.keys():
        raise FeedsError(f"{path!r} is in static/, and --host {host} writes it; remove one of them")
    return [_plan(path, found[path]) for path in sorted(found)]


def _plan(path: str, found: bytes | Plan) -> Plan:
    """Return the plan of a file: of its bytes, or of the same document at another path."""
    if isinstance(found, Plan):
        return found._replace(path=path, media_type=_UNCOMPRESSED)
    return Plan(path, _UNCOMPRESSED, digest(found), lambda _: found)

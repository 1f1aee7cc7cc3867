"""What a web server or a host must be told to serve a folder as `feeds serve` would."""

from collections.abc import Callable, Mapping
from importlib import import_module

from feeds.export.hosts.serving import Serving
from feeds.model import Document, Site

# By the names of `--host`; each module has a function `files`.
HOSTS = {
    "nginx": "nginx",
    "apache": "apache",
    "caddy": "caddy",
    "netlify": "netlify",
    "cloudflare-pages": "cloudflare",
    "github-pages": "github",
}


def host_files(
    host: str, release: Mapping[str, Document], site: Site, *, compressed: bool
) -> Mapping[str, bytes]:
    """Give the files for a host, by path; none without a host.

    The same release gives the same bytes. Raises FeedsError where the host's
    configuration cannot say what is needed.
    """
    if not host:
        return {}
    files: Callable[[Serving], Mapping[str, bytes]]
    files = import_module(f"feeds.export.hosts.{HOSTS[host]}").files
    return files(Serving(release, site, compressed=compressed))

"""Configurations for web servers and hosts, with which they serve a folder like `feeds serve`."""

from collections.abc import Iterable

from feeds.errors import FeedsError
from feeds.export.hosts.rules import ServingRules
from feeds.inputs import digest
from feeds.model import Site
from feeds.plans import Plan

# A media type that is not compressed: see `pays`. GitHub Pages would not send a
# compressed copy of a document at a moved address either.
_UNCOMPRESSED = "application/octet-stream"


def host_plans(host: str, plans: Iterable[Plan], site: Site, *, compressed: bool) -> list[Plan]:
    """Return the plans of the files that configure a host; none without a host.

    `plans` are those of the site's documents. Raises FeedsError where the host cannot
    be configured for the site.
    """
    if not host:
        return []
    # This loads Jinja.
    from feeds.export.hosts.configurations import HOSTS  # noqa: PLC0415

    documents = {plan.path: plan for plan in plans}
    files = HOSTS[host](ServingRules(documents, site, compressed=compressed))
    for path in files.keys() & documents.keys():
        raise FeedsError(f"{path!r} is in static/, and --host {host} writes it; remove one of them")
    return [_plan(path, files[path]) for path in sorted(files)]


def _plan(path: str, file: bytes | Plan) -> Plan:
    """Return the plan of a file, which has given bytes or those of a document."""
    if isinstance(file, Plan):
        return file._replace(path=path, media_type=_UNCOMPRESSED)
    return Plan(path, _UNCOMPRESSED, digest(file), lambda _: file)

"""What the address of a bucket and of its store say, and which hosts a publish may ask."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from feeds.errors import FeedsError

# For each scheme, how the variables of its environment begin, and which give credentials.
SCHEMES = {
    "s3": ("AWS", "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION"),
    "gs": ("GOOGLE", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE", "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
}

# Where nothing can listen; as a proxy, it keeps requests from going anywhere.
NOWHERE = "127.0.0.1:0"


def checked(address: str) -> SplitResult:
    """Give the parts of a bucket's address; raises FeedsError, which repeats no secret of it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise FeedsError("the address of the bucket cannot be understood") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise FeedsError(
            f"{parts.scheme}://…: an address has no user, password or query;"
            " credentials come from the environment"
        )
    if parts.scheme == "file":
        raise FeedsError(f"{address}: is a folder; write it with `feeds export`")
    if parts.scheme not in SCHEMES or not parts.netloc:
        known = ", ".join(f"{scheme}://bucket/prefix" for scheme in SCHEMES)
        raise FeedsError(f"{address!r} is no address of a bucket; one is {known}")
    return parts


def endpoint_of(prefix: str, environment: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Give the address of a store that is not its makers' own, if any; raises FeedsError."""
    if "endpoint" in settings:
        name, endpoint = "endpoint_url", settings["endpoint"]
    else:
        names = (f"{prefix}_ENDPOINT_URL_S3", f"{prefix}_ENDPOINT_URL", f"{prefix}_ENDPOINT")
        name = next(filter(environment.get, names), "")
        endpoint = environment.get(name, "")
    if endpoint and not _is_web_address(endpoint):
        raise FeedsError(f"{name} is no address of a store; one is https://store.example.org:9000")
    return endpoint


def guard(endpoint: str, *, known: bool) -> dict[str, str]:
    """Return the options by which all hosts but an endpoint's are out of reach.

    obstore follows redirects, and has no option against it. Where credentials are not
    `known`, other hosts must be asked for them; where there is a proxy, it is in charge.
    """
    if not endpoint or not known or getproxies().keys() & {"http", "https", "all"}:
        return {}
    return {"proxy_url": f"http://{NOWHERE}", "proxy_excludes": urlsplit(endpoint).hostname or ""}


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.scheme in {"http", "https"} and parts.port != 0 and parts.hostname
    except ValueError:
        return False
    return bool(host) and text.isprintable() and " " not in text


def bare_host(endpoint: str) -> str:
    """Give an endpoint without the user and the path that somebody may have put there."""
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{re.split(r'[/?#]', rest)[0].rpartition('@')[2]}"

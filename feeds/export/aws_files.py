"""What the files of Amazon's tools say of credentials, region and endpoint.

See https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html.
"""

from collections.abc import Mapping
from configparser import Error, RawConfigParser
from itertools import chain
from pathlib import Path

from feeds.errors import FeedsError

# By the names that obstore has for them; those of the environment count first.
_SECRETS = {
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "session_token": "aws_session_token",
}
_SETTINGS = {"region": "region", "endpoint": "endpoint_url"}
_IN_ENVIRONMENT = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
}


def aws_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give what the profile's files say and the environment does not; raises FeedsError."""
    for name in (*map(str.upper, _SECRETS.values()), *chain(*_IN_ENVIRONMENT.values())):
        _refuse_unprintable(name, environment.get(name, ""))
    profile = environment.get("AWS_PROFILE") or "default"
    home = Path(environment.get("HOME") or "~").expanduser() / ".aws"
    credentials = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials")
    config = Path(environment.get("AWS_CONFIG_FILE") or home / "config")
    section = profile if profile == "default" else f"profile {profile}"
    found = _section(config, section)
    given = {
        name: found[key]
        for name, key in _SETTINGS.items()
        if key in found and not any(map(environment.get, _IN_ENVIRONMENT[name]))
    }
    if environment.get("AWS_ACCESS_KEY_ID"):
        return given
    secrets = found | _section(credentials, profile)
    if environment.get("AWS_PROFILE") and "aws_access_key_id" not in secrets:
        raise FeedsError(
            f"{credentials}: has no aws_access_key_id for the profile {profile!r}; where another"
            " tool knows them, put them into the environment with"
            " `aws configure export-credentials --format env`"
        )
    return given | {name: secrets[key] for name, key in _SECRETS.items() if key in secrets}


def _section(file: Path, name: str) -> dict[str, str]:
    parser = RawConfigParser(default_section="")
    try:
        parser.read(file, encoding="utf-8")
    except (Error, ValueError):
        # What the parser says of a line repeats the line, and a secret may be on it.
        raise FeedsError(f"{file}: cannot be understood") from None
    found = dict(parser[name]) if parser.has_section(name) else {}
    for key in {*_SECRETS.values(), *_SETTINGS.values()} & found.keys():
        _refuse_unprintable(f"{file}: {key}", found[key])
    return found


def _refuse_unprintable(name: str, value: str) -> None:
    """Name what would break a request's head; what is pasted into a CI's secrets often ends so."""
    if not value.isprintable():
        raise FeedsError(f"{name} has a line end, or another character that cannot be printed")

"""What a process imports, and computes once, before it is forked for each command of a test."""

from datetime import UTC, datetime
from pathlib import Path

from feeds import build_release, load_catalogue
from feeds.cli import main

_CATALOGUE = Path(__file__).parent / "catalogues" / "every-field.yaml"
main(["check", "--quiet", "--catalogue", str(_CATALOGUE)])
build_release(load_catalogue(_CATALOGUE), as_of=datetime(2026, 11, 1, tzinfo=UTC))

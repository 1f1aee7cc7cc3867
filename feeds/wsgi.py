"""`app`, for any WSGI server; configured by FEEDS_CATALOGUE, FEEDS_URL, FEEDS_STATE and FEEDS_METRICS."""

import os
import sys

from feeds.log import log_to
from feeds.server import create_app

log_to(sys.stderr)
app = create_app(
    os.environ.get("FEEDS_CATALOGUE") or "entries.yaml",
    url=os.environ.get("FEEDS_URL") or None,
    state=os.environ.get("FEEDS_STATE") or None,
    metrics=os.environ.get("FEEDS_METRICS", "0") not in {"", "0"},
)

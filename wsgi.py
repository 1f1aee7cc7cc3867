"""The served site: `app` for any WSGI server, made from FEEDS_CATALOGUE, FEEDS_URL, FEEDS_STATE."""

import os
import sys

from feeds import Publisher, create_app
from feeds.logs import log_to

log_to(sys.stderr)
publisher = Publisher(
    os.environ.get("FEEDS_CATALOGUE") or "entries.yaml",
    url=os.environ.get("FEEDS_URL") or None,
    state=os.environ.get("FEEDS_STATE") or None,
)
publisher.start()
app = create_app(publisher)

"""The served site: `app` for any WSGI server, made from FEEDS_CATALOGUE and FEEDS_URL."""

import os
from datetime import UTC, datetime

from feeds import Release, create_app, load_catalogue

catalogue = load_catalogue(
    os.environ.get("FEEDS_CATALOGUE") or "entries.yaml", url=os.environ.get("FEEDS_URL") or None
)
app = create_app(Release(catalogue, as_of=datetime.now(UTC)))

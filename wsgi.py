"""The served site: `app` for any WSGI server, made from FEEDS_CATALOGUE, FEEDS_URL, FEEDS_STATE."""

import os
import sys
from pathlib import Path

from feeds import Publisher, create_app
from feeds.after.herald import Herald
from feeds.logs import log_to

log_to(sys.stderr)
catalogue = Path(os.environ.get("FEEDS_CATALOGUE") or "entries.yaml")
state = Path(os.environ.get("FEEDS_STATE") or catalogue.parent / ".feeds")
herald = Herald(state)
publisher = Publisher(
    catalogue,
    url=os.environ.get("FEEDS_URL") or None,
    state=state,
    stands=lambda standing: herald.tell(standing.current),
)
publisher.start()
app = create_app(publisher)

"""The HTML pages of a site: its entries, the lists of them, and what leads to its feeds."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from feeds.formats import MEDIA_TYPES, Format
from feeds.model import Site
from feeds.pages.colours import DARK_BACKGROUND, LIGHT_BACKGROUND, readable
from feeds.pages.discovery import Discovery
from feeds.pages.entry import EntryPages
from feeds.pages.i18n import I18n
from feeds.pages.listing import ListingPages
from feeds.pages.templating import ROOT, Templates, relative_address
from feeds.urls import STYLE, SUBSCRIBE

__all__ = ["Pages"]


class Pages:
    """The pages of a site and its feeds in some formats.

    `templates` is a folder of templates that override the shipped ones by name.
    Every method that renders raises FeedsError if one of them has an error.
    """

    media_type = MEDIA_TYPES["html"]

    def __init__(
        self, site: Site, formats: Sequence[Format], *, templates: Path | None = None
    ) -> None:
        self._site = site
        i18n = I18n(site.language, site.timezone)
        values = {
            "site": site,
            "words": i18n.words,
            "direction": i18n.direction,
            "open_graph_locale": i18n.open_graph,
            "root": ROOT,
            "style": relative_address(STYLE),
            "subscribe": relative_address(SUBSCRIBE),
            # Without the charset, which links do not name.
            "formats": [
                replace(form, media_type=form.media_type.partition(";")[0]) for form in formats
            ],
            "front": False,
        }
        self._templates = Templates(templates, values, site)
        self.entries = EntryPages(self._templates, i18n, site)
        self.listings = ListingPages(self._templates, i18n, site)
        self.discovery = Discovery(self._templates, i18n, site, formats)

    def style(self) -> tuple[str, str, bytes]:
        """Return the path, media type and bytes of the style sheet, in the site's colour."""
        sheet = files("feeds.pages").joinpath(STYLE).read_bytes()
        light = readable(self._site.accent, LIGHT_BACKGROUND)
        dark = readable(self._site.accent, DARK_BACKGROUND)
        own = self._templates.render("accent.css", light=light, dark=dark)
        return STYLE, MEDIA_TYPES["css"], b"%b\n%b\n" % (sheet, own)

"""All the pages of a site: those of its entries and lists, and the documents that lead to them."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from feeds.formats import Format
from feeds.model import Entry, Site
from feeds.pages.colours import NIGHT, PAPER, readable
from feeds.pages.discovery import CSS, HTML, Guides
from feeds.pages.entry import EntryPages
from feeds.pages.i18n import Wording
from feeds.pages.listing import ListingPages
from feeds.pages.relative import ROOT, SiteLinks, relative_address
from feeds.pages.templating import Templates
from feeds.urls import INDEX, STYLE, SUBSCRIBE


class Pages:
    """The pages of a site whose feeds are published in some formats too.

    `templates` is a folder of templates that override the shipped ones by name.
    Every method that renders raises FeedsError if one of them has an error.
    """

    media_type = HTML

    def __init__(
        self, site: Site, formats: Sequence[Format], *, templates: Path | None = None
    ) -> None:
        self._site = site
        wording = Wording(site.language, site.timezone)
        values = {
            "site": site,
            "words": wording.words,
            "direction": wording.direction,
            "open_graph_locale": wording.open_graph,
            "root": ROOT,
            "style": relative_address(STYLE),
            "subscribe": relative_address(SUBSCRIBE),
            # Without the charset, which links do not name.
            "formats": [
                replace(form, media_type=form.media_type.partition(";")[0]) for form in formats
            ],
            "front": False,
        }
        filters = {"href": relative_address, "relative": SiteLinks(site).relative}
        self._templates = Templates(templates, values, filters)
        self.entries = EntryPages(self._templates, wording, site)
        self.listings = ListingPages(self._templates, wording, site)
        self.guides = Guides(self._templates, wording, site, formats)

    def path(self, entry: Entry) -> str:
        """Return the path of an entry's own page."""
        return entry.path + INDEX

    def style(self) -> tuple[str, str, bytes]:
        """Return the path, media type and bytes of the style sheet, in the publication's colour."""
        sheet = files("feeds.pages").joinpath(STYLE).read_bytes()
        day, night = (readable(self._site.accent, ground) for ground in (PAPER, NIGHT))
        own = self._templates.render("accent.css", day=day, night=night)
        return STYLE, CSS, b"%b\n%b\n" % (sheet, own)

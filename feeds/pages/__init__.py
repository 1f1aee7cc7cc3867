"""The HTML pages of a site: its entries, the lists of them, and what leads to its feeds."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from feeds.formats import MEDIA_TYPES, Format
from feeds.i18n import I18n
from feeds.model import Site
from feeds.pages.discovery import Discovery
from feeds.pages.entry_page import EntryPages, license_link
from feeds.pages.listing import ListingPages
from feeds.pages.templating import ROOT, Templates, relative_address
from feeds.urls import STYLE, SUBSCRIBE

__all__ = ["Pages"]

# The backgrounds of text in style.css; of several, the one with the least contrast.
LIGHT_BACKGROUND = "#f3f1ec"
DARK_BACKGROUND = "#20252a"
# Level AA requires 4.5. The margin allows for rounding.
_MIN_CONTRAST = 5.5
_STEPS = 100


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
            "license": license_link(site.license),
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


def readable(colour: str, background: str) -> str:
    """Return the shade nearest to a `#rrggbb` that is readable on a background (WCAG 2.2, 1.4.3)."""
    goal = 0.0 if luminance(background) > luminance("#777777") else 255.0
    channels = _channels(colour)
    for step in range(_STEPS):
        mixed = [round(part + (goal - part) * step / _STEPS) for part in channels]
        shade = "#" + "".join(f"{part:02x}" for part in mixed)
        if contrast(shade, background) >= _MIN_CONTRAST:
            return shade
    return "#000000" if goal == 0 else "#ffffff"


def contrast(colour: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a `#rrggbb`, from 0 to 1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]

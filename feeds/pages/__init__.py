"""The HTML that a person reads: the news by month with its archive, and a page for each entry."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feeds.formats import Format
from feeds.model import Entry, Site
from feeds.pages.colours import NIGHT, PAPER, readable
from feeds.pages.entry_pages import EntryPages
from feeds.pages.guides import CSS, HTML, Guides
from feeds.pages.listing_pages import ListingPages
from feeds.pages.relative import ROOT, SiteLinks, relative_address
from feeds.pages.wording import Wording
from feeds.paths import INDEX, STYLE, SUBSCRIBE


class Pages:
    """The pages of a site whose feeds are published in some formats too."""

    media_type = HTML

    def __init__(self, site: Site, formats: Sequence[Format]) -> None:
        self._site = site
        wording = Wording(site.language, site.timezone)
        self._environment = environment = environment_of(site, formats, wording)
        self.entries = EntryPages(environment, wording, site)
        self.listings = ListingPages(environment, wording, site)
        self.guides = Guides(environment, wording, site, formats)

    def path(self, entry: Entry) -> str:
        """Give the path of an entry's own page."""
        return entry.path + INDEX

    def style(self) -> tuple[str, str, bytes]:
        """Give the path, media type and bytes of the style sheet, in the publication's colour."""
        sheet = files("feeds.pages").joinpath(STYLE).read_text("utf-8")
        day, night = (readable(self._site.accent, ground) for ground in (PAPER, NIGHT))
        own = self._environment.get_template("accent.css").render(day=day, night=night)
        return STYLE, CSS, f"{sheet}\n{own}\n".encode()


def environment_of(site: Site, formats: Sequence[Format], wording: Wording) -> Environment:
    """Give the templates, and all that they know of a site."""
    environment = Environment(
        loader=PackageLoader("feeds.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        # Templates do not change under a running program.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    links = SiteLinks(site)
    environment.globals |= {
        "site": site,
        "root": ROOT,
        "style": relative_address(STYLE),
        "subscribe": relative_address(SUBSCRIBE),
        "logo": links.relative(site.logo),
        "icon": links.relative(site.icon),
        "direction": wording.direction,
        "open_graph_locale": wording.open_graph,
        "words": wording.words,
        "documents": [
            (form.name, form.media_type.partition(";")[0], form.filename) for form in formats
        ],
    }
    # What stands on many pages is rendered once.
    for name in ("menu", "foot", "alternates"):
        template = environment.get_template(f"{name}.html")
        html = template.render(feed_title=site.title, feed_address=site.url)
        environment.globals[name] = Markup(html)  # noqa: S704  # of our template
    return environment


class Printer:
    """Keeps the pages of a site ready from release to release: templates take their time."""

    def __init__(self) -> None:
        self._of: tuple[Site, tuple[Format, ...]] | None = None
        self._pages: Pages | None = None

    def pages(self, site: Site, formats: tuple[Format, ...]) -> Pages:
        """Give the pages of a site in some formats."""
        if self._pages is None or self._of != (site, formats):
            self._of, self._pages = (site, formats), Pages(site, formats)
        return self._pages

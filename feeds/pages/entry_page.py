"""An entry's own page, and its item on the pages that list it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from feeds.formats.content import truncated
from feeds.formats.enclosures import details, title_marks
from feeds.formats.json_feed import present
from feeds.i18n import I18n, Language, direction_of, language_of
from feeds.licenses import license_name
from feeds.model import Attachment, Country, Entry, Photo, Site, Topic
from feeds.pages.templating import SCHEMA_ORG, Link, Templates, publisher_of, relative_address
from feeds.urls import INDEX, feed_folder

_MAX_LABELS_IN_LISTS = 8
# Of a body, so many characters suffice to find the direction.
_MAX_BODY_SAMPLE = 500
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")


class EntryPages:
    """Renders the entries of a site."""

    def __init__(self, templates: Templates, i18n: I18n, site: Site) -> None:
        self._templates = templates
        self._site = site
        self._i18n = i18n
        self._publisher = publisher_of(site)

    def path(self, entry: Entry) -> str:
        """Return the path of an entry's own page."""
        return entry.path + INDEX

    def item(self, entry: Entry) -> bytes:
        """Return an entry's item, which is the same in every list."""
        labels = self._labels(entry)
        more = len(labels) - _MAX_LABELS_IN_LISTS
        return self._templates.render(
            "item.html",
            **self._values(entry),
            page=relative_address(entry.path),
            summary=truncated(entry.summary),
            labels=labels[:_MAX_LABELS_IN_LISTS],
            more=self._i18n.words.more.format(count=self._i18n.number(more)) if more > 0 else "",
        )

    def page(
        self, entry: Entry, newer: Entry | None, older: Entry | None, pieces: Sequence[bytes]
    ) -> bytes:
        """Return an entry's own page, from its neighbours and the sanitised HTML of its body."""
        [html] = pieces
        values = self._values(entry)
        path = entry.path
        address = self._site.address(path)
        updated = entry.updated.isoformat()
        language = language_of(entry.language or self._site.language)
        body = self._templates.links.relative_in(_demote_headings(html.decode()), path)
        return self._templates.page(
            "entry.html",
            path,
            **values,
            address=address,
            body=Markup(body),  # noqa: S704  # sanitised
            updated=updated,
            updated_date=self._updated_date(entry, values["published_date"]),
            labels=self._labels(entry),
            data=self._data(entry, address, values["published"], updated),
            newer=newer and self._title_link(newer),
            older=older and self._title_link(older),
            authors=language.joined([person.name for person in entry.authors]),
            documents=[self._shown(document, language) for document in entry.documents],
            **self._license(entry),
        )

    def _values(self, entry: Entry) -> dict[str, Any]:
        """Return the values of both templates."""
        around = self._i18n.direction
        sample = f"{entry.title} {entry.summary} {entry.body[:_MAX_BODY_SAMPLE]}"
        language = entry.language
        direction = language_of(language).direction if language else direction_of(sample, around)
        return {
            "entry": entry,
            # Attributes of what is in the entry's language, and in it, of what is not.
            "entry_language": _lang(language),
            "site_language": _lang(self._site.language) if language else "",
            "entry_direction": direction if language or direction != around else "",
            "host": _host("/".join(entry.link.split("/", 3)[:3])),
            "published": entry.published.isoformat(),
            "published_date": self._i18n.moment(entry.published, timed=entry.public_from is None),
        }

    def _license(self, entry: Entry) -> dict[str, object]:
        """Return the licence of an entry, if it is not that of all pages."""
        if not entry.license:
            return {}
        return {"license": license_link(entry.license), "own_license": True}

    def _title_link(self, entry: Entry) -> Link:
        """Return the link to an entry's page, in the entry's language."""
        direction = language_of(entry.language).direction if entry.language else ""
        return Link(relative_address(entry.path), entry.title, entry.language, direction)

    def _shown(self, document: Attachment, around: Language) -> dict[str, object]:
        """Return what a page shows of a document of an entry in a language."""
        return {
            "url": document.url,
            "title": document.title,
            "language": document.language,
            "details": details(document, self._i18n),
            "marks": title_marks(document, around),
        }

    def _updated_date(self, entry: Entry, published_date: str) -> str:
        """Return when an entry was updated; '' if it says no more than when it was published."""
        if entry.updated == entry.published:
            return ""
        updated = self._i18n.moment(entry.updated, timed=entry.updated_from is None)
        return updated if updated not in {published_date, self._i18n.day(entry.published)} else ""

    def _labels(self, entry: Entry) -> list[Link]:
        """Return the links to the feeds of an entry's topics and countries."""
        kinds = self._site.feeds
        labels: list[Topic | Country] = [
            *(entry.topics if "topics" in kinds else ()),
            *(entry.countries if "countries" in kinds else ()),
        ]
        return [*map(_link_to, labels)]

    def _data(self, entry: Entry, address: str, published: str, updated: str) -> dict[str, Any]:
        """Return an entry as a NewsArticle of schema.org."""
        about = [{"@type": "Thing", "name": topic.name} for topic in entry.topics]
        about += [{"@type": "Country", "name": country.name} for country in entry.countries]
        return present(
            {
                "@context": SCHEMA_ORG,
                "@type": "NewsArticle",
                "headline": entry.title,
                "description": entry.summary,
                "url": address,
                "sameAs": entry.link,
                "inLanguage": entry.language or self._site.language,
                "license": entry.license or self._site.license,
                "datePublished": published,
                "dateModified": updated,
                "author": _authors(entry) or self._publisher,
                "publisher": self._publisher,
                "image": _image(entry.photo) if entry.photo and entry.photo.url else None,
                "about": about,
                "associatedMedia": [*map(_media_object, entry.documents)],
            }
        )


@lru_cache(maxsize=100)
def license_link(address: str) -> Link | None:
    """Return the link to a licence, by its name; None if there is none."""
    return Link(address, license_name(address)) if address else None


@lru_cache(maxsize=100)
def _lang(language: str) -> Markup:
    """Return the attribute of a language; '' without one."""
    return Markup(' lang="{}"').format(language) if language else Markup()


def _authors(entry: Entry) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the authors of an entry: one by itself, several as a list; [] if it has none."""
    found = [
        present({"@type": "Person", "name": person.name, "url": person.uri})
        for person in entry.authors
    ]
    return found[0] if len(found) == 1 else found


def _media_object(document: Attachment) -> dict[str, Any]:
    return present(
        {
            "@type": "MediaObject",
            "name": document.title,
            "contentUrl": document.url,
            "encodingFormat": document.media_type,
            "contentSize": document.length and f"{document.length} B",
            "inLanguage": document.language,
        }
    )


def _image(photo: Photo) -> dict[str, Any]:
    return present(
        {
            "@type": "ImageObject",
            "url": photo.url,
            "caption": photo.alt,
            "creditText": photo.credit,
            "width": photo.width,
            "height": photo.height,
        }
    )


@lru_cache(maxsize=10_000)
def _link_to(label: Topic | Country) -> Link:
    """Return the link to the feed of a topic or a country."""
    names = (label.slug, "") if isinstance(label, Topic) else ("", label.slug)
    return Link(relative_address(feed_folder(*names)), label.name)


def _demote_headings(body: str) -> str:
    """Return HTML whose highest heading is below the entry's title."""
    if "<h1" not in body:
        return body
    return _HEADING.sub(lambda found: f"{found[1]}{min(int(found[2]) + 1, 6)}", body)


@lru_cache(maxsize=1000)
def _host(origin: str) -> str:
    """Return the host of a URL without a path, without `www.`."""
    return (urlsplit(origin).hostname or "").removeprefix("www.")

"""Structured data of pages: JSON-LD in the vocabulary of schema.org."""

import json
from typing import Any

from feeds.model import Entry, Feed, Photo, Site

_CONTEXT = "https://schema.org"

# Characters outside ASCII are not escaped. The data has no cycles.
to_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class SchemaOrg:
    """Describes the pages of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._publisher = _present(
            {
                "@type": "Organization",
                "name": site.author.name,
                "url": site.author.uri or site.url,
                "logo": site.logo and {"@type": "ImageObject", "url": site.logo},
            }
        )

    def article(self, entry: Entry, address: str, published: str, updated: str) -> dict[str, Any]:
        """Return an entry as a NewsArticle."""
        author = entry.author
        about = [{"@type": "Thing", "name": topic.name} for topic in entry.topics]
        about += [{"@type": "Country", "name": country.name} for country in entry.countries]
        return _present(
            {
                "@context": _CONTEXT,
                "@type": "NewsArticle",
                "headline": entry.title,
                "description": entry.summary,
                "url": address,
                "sameAs": entry.link,
                "inLanguage": self._site.language,
                "datePublished": published,
                "dateModified": updated,
                "author": _present({"@type": "Person", "name": author.name, "url": author.uri})
                if author
                else self._publisher,
                "publisher": self._publisher,
                "image": _image(entry.photo) if entry.photo and entry.photo.url else None,
                "about": about,
            }
        )

    def collection(self, feed: Feed, title: str, address: str) -> dict[str, Any]:
        """Return a page that lists entries of a feed as a CollectionPage."""
        site = self._site
        return _present(
            {
                "@context": _CONTEXT,
                "@type": "CollectionPage",
                "name": title,
                "description": feed.description,
                "url": address,
                "inLanguage": site.language,
                "isPartOf": {"@type": "WebSite", "name": site.title, "url": site.url},
                "publisher": self._publisher,
            }
        )


def _image(photo: Photo) -> dict[str, Any]:
    return _present(
        {
            "@type": "ImageObject",
            "url": photo.url,
            "caption": photo.alt,
            "creditText": photo.credit,
            "width": photo.width,
            "height": photo.height,
        }
    )


def _present(data: dict[str, Any]) -> dict[str, Any]:
    """Return data without the properties that have no value."""
    return {name: value for name, value in data.items() if value}

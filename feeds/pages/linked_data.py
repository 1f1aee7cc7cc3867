"""What pages say of themselves to machines, in schema.org's words."""

import json
from typing import Any

from feeds.model import Entry, Feed, Site

# Returns JSON, in which all but ASCII stays as it is; `tojson` in a template escapes it for HTML.
to_json = json.JSONEncoder(ensure_ascii=False).encode


def article(entry: Entry, site: Site) -> dict[str, Any]:
    """Give an entry as a NewsArticle (schema.org), without what it does not have."""
    photo = entry.photo if entry.photo and entry.photo.url else None
    author = entry.author
    publisher = _publisher(site)
    about = [{"@type": "Thing", "name": topic.name} for topic in entry.topics]
    about += [{"@type": "Country", "name": country.name} for country in entry.countries]
    return _present(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": entry.title,
            "description": entry.summary,
            "url": site.address(entry.path),
            "sameAs": entry.link,
            "inLanguage": site.language,
            "datePublished": entry.published.isoformat(),
            "dateModified": entry.updated.isoformat(),
            "author": _present({"@type": "Person", "name": author.name, "url": author.uri})
            if author
            else publisher,
            "publisher": publisher,
            "image": photo
            and _present(
                {
                    "@type": "ImageObject",
                    "url": photo.url,
                    "caption": photo.alt,
                    "creditText": photo.credit,
                    "width": photo.width,
                    "height": photo.height,
                }
            ),
            "about": about,
        }
    )


def collection(feed: Feed, site: Site, title: str, path: str) -> dict[str, Any]:
    """Give a page that lists entries of a feed as a CollectionPage (schema.org)."""
    return _present(
        {
            "@context": "https://schema.org",
            "@type": "CollectionPage",
            "name": title,
            "description": feed.description,
            "url": site.address(path),
            "inLanguage": site.language,
            "isPartOf": {"@type": "WebSite", "name": site.title, "url": site.url},
            "publisher": _publisher(site),
        }
    )


def _publisher(site: Site) -> dict[str, Any]:
    logo = site.logo and {"@type": "ImageObject", "url": site.logo}
    name, address = site.author.name, site.author.uri or site.url
    return _present({"@type": "Organization", "name": name, "url": address, "logo": logo})


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}

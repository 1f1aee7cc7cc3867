"""What pages say of themselves to machines: schema.org's words, and Open Graph's."""

from typing import Any

from feeds.model import Entry, Feed, Site

# A property's name and its content.
Property = tuple[str, str]


def article(entry: Entry, site: Site) -> dict[str, Any]:
    """Give an entry as a NewsArticle (schema.org), without what it does not have."""
    photo = entry.photo if entry.photo and entry.photo.url else None
    author = entry.author
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
            else _publisher(site),
            "publisher": _publisher(site),
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


def article_properties(entry: Entry, site: Site) -> list[Property]:
    """Give what Open Graph says of an entry's own page."""
    photo = entry.photo if entry.photo and entry.photo.url else None
    found = [
        ("og:type", "article"),
        ("og:title", entry.title),
        ("og:url", site.address(entry.path)),
        ("og:description", entry.summary),
        ("og:image", photo.url if photo else site.logo),
        ("og:image:alt", photo.alt if photo else ""),
        ("og:image:width", str(photo.width or "") if photo else ""),
        ("og:image:height", str(photo.height or "") if photo else ""),
        ("article:published_time", entry.published.isoformat()),
        ("article:modified_time", entry.updated.isoformat()),
        *(("article:tag", label.name) for label in entry.labels),
    ]
    return [(name, content) for name, content in found if content]


def collection_properties(feed: Feed, site: Site, title: str, path: str) -> list[Property]:
    """Give what Open Graph says of a page that lists entries of a feed."""
    found = [
        ("og:type", "website"),
        ("og:title", title),
        ("og:url", site.address(path)),
        ("og:description", feed.description),
        ("og:image", site.logo),
    ]
    return [(name, content) for name, content in found if content]


def _publisher(site: Site) -> dict[str, Any]:
    logo = site.logo and {"@type": "ImageObject", "url": site.logo}
    name, address = site.author.name, site.author.uri or site.url
    return _present({"@type": "Organization", "name": name, "url": address, "logo": logo})


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}

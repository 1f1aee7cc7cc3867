"""How an entry's topics and countries are said in Atom's and RSS's categories."""

from feeds.model import Country, Topic

# RFC 5141.
COUNTRY_SCHEME = "urn:iso:std:iso:3166:-1"


def category(label: Topic | Country) -> dict[str, str]:
    """Return the `term`, `scheme` and `label` of a topic or a country (RFC 4287 §4.2.2)."""
    if isinstance(label, Country):
        return {"term": label.code, "scheme": COUNTRY_SCHEME, "label": label.name}
    return {"term": label.slug, "scheme": label.scheme, "label": label.name}

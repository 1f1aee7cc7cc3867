"""The keys of each mapping in a catalogue, and the words that other programs have for them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_SEPARATORS = re.compile("[-_ .]+")


class Keys(NamedTuple):
    """The keys that a mapping may have, those it must have, and remedies for others.

    A remedy is a key, or advice in words; it is found by a word in lower case,
    without separators.
    """

    known: frozenset[str]
    required: tuple[str, ...]
    remedies: Mapping[str, str]

    def remedy(self, key: str) -> str:
        """Return what to write instead of an unknown key, as the end of a message, or ''."""
        found = self.remedies.get(_SEPARATORS.sub("", key.lower()), "")
        return f"; {found}" if " " in found else f"; write {found!r} instead" if found else ""


def _keys(
    synonyms: Mapping[str, str],
    *,
    advice: Mapping[str, str] | None = None,
    required: tuple[str, ...] = (),
) -> Keys:
    """Return keys by the words, separated by spaces, that each is the remedy for."""
    remedies = {
        word: remedy
        for rows in (synonyms, advice or {})
        for remedy, words in rows.items()
        for word in words.split()
    }
    return Keys(frozenset(synonyms), required, remedies)


# An `id` that is missing is reported when all are known, so that one can be proposed.
ENTRY = _keys(
    {
        "id": "guid slug uid uuid key identifier",
        "title": "headline heading name subject",
        "date": "published publishdate pubdate publishedat datepublished datetime created createdat time day",
        "updated": "modified lastmod lastmodified lastupdated updatedat dateupdated datemodified changed",
        "summary": "description abstract excerpt intro introduction lead lede teaser blurb subtitle standfirst",
        "body": "content text html markdown article details story",
        "link": "url uri href permalink website weblink source canonical",
        "topics": "tags tag topic category categories keyword keywords subjects themes section",
        "countries": "country location locations place places region regions nation",
        "photo": "image images picture pictures thumbnail cover img enclosure media figure featuredimage",
        "author": "authors by byline writer creator",
    },
    required=("title", "date"),
    advice={
        "write it inside 'photo': {credit: …}": "credit copyright photographer caption photocredit",
        "write it inside 'photo': {alt: …}": "alt alttext imagealt",
        "an entry is held back until its 'date'": "embargo embargoed notbefore publishafter releasedate",
        "put '#' before the lines of an entry that is not to be published yet": (
            "draft drafts status hidden private visible public"
        ),
        "'language' is a key of 'site', for all entries": "lang language locale",
        "'rights' is a key of 'site', for all entries": "rights license licence",
        "to withdraw an entry, remove it and list its address under 'retired' in 'site'": (
            "expires expiry expirydate expirationdate until"
        ),
        "link to a document in the 'body', or with 'link'": (
            "document documents attachment attachments file files pdf download"
        ),
    },
)
SITE = _keys(
    {
        "title": "name heading",
        "url": "link website baseurl home homepage address domain root",
        "description": "tagline subtitle summary about",
        "language": "lang locale",
        "timezone": "tz zone",
        "author": "publisher editor owner organization organisation",
        "rights": "copyright copyrights license licence",
        "logo": "image picture",
        "icon": "favicon",
        "hub": "websub pubsubhubbub",
        "items": "limit count length pagesize perpage",
        "max_age": "ttl cache maxage",
        "accent": "color colour theme",
        "moved": "redirects redirect aliases",
        "retired": "gone removed deleted",
        "formats": "format",
        "feeds": "",
        "footer": "",
        "id": "guid uid uuid",
    },
    required=("title", "url", "id"),
    advice={
        "write it inside 'author': {email: …}": "email mail",
        "write it at the left margin, not inside 'site'": "topics countries entries",
    },
)
SECTIONS = _keys(
    {
        "entries": "items news posts articles stories entry",
        "topics": "tags categories category keywords",
        "countries": "country",
        "site": "feed channel publication settings config metadata",
    }
)
PHOTO = _keys(
    {
        "url": "src href image path link file",
        "alt": "caption description title text alttext",
        "credit": "copyright source photographer author rights by credits",
        "type": "mime mimetype mediatype",
        "length": "size bytes filesize",
        "width": "",
        "height": "",
    }
)
PERSON = _keys({"name": "title", "uri": "url website link homepage", "email": "mail"})
TOPIC = _keys(
    {
        "name": "title label",
        "description": "summary text",
        "scheme": "url uri vocabulary",
    },
    required=("name",),
    advice={"the slug is the key of the topic": "slug id key"},
)

EVERY = frozenset().union(*(keys.known for keys in (SECTIONS, SITE, TOPIC, ENTRY, PHOTO, PERSON)))

"""The keys of each mapping in a catalogue, and what to write instead of unknown ones."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from feeds.catalogue.source import INVISIBLE, named

SECTION_NAMES = ("site", "topics", "countries", "entries")
# Characters that input methods and other notations use for a colon.
COLONS = "：﹕︓∶ː"
_COLON = re.compile(rf"(?P<key>[a-z_]+)\s*(?P<sign>[{COLONS}=;]|=>|->|:(?=\S)|(?<=\s)(?=\S))")
_SEPARATORS = re.compile("[-_ .]+")


class Keys(NamedTuple):
    """The allowed and the required keys of a mapping, and remedies for others.

    The remedy for a word, in lower case and without separators, is a key or advice.
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
    """Return keys, each given with the words, separated by spaces, that it is the remedy for."""
    remedies = {
        word: remedy
        for rows in (synonyms, advice or {})
        for remedy, words in rows.items()
        for word in words.split()
    }
    return Keys(frozenset(synonyms), required, remedies)


# A missing `id` is reported after all entries are read, so that a free one can be proposed.
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

ALL_KEYS = frozenset().union(
    *(keys.known for keys in (SECTIONS, SITE, TOPIC, ENTRY, PHOTO, PERSON))
)


def key_mistake(name: str, known: Collection[str]) -> str:
    """Return what is wrong with the characters of an unknown key, or ''.

    Without a space after it, a colon does not end a key; one further on in the line does.
    """
    if invisible := INVISIBLE.search(name):
        return invisible_in_key(invisible[0])
    found = _COLON.match(name)
    if found and found["key"] in known:
        key, sign = found.groups()
        if sign == ":":
            return "a space after the ':' is missing"
        if sign:
            return f"after '{key}', write ': ' instead of '{sign}'"
        return f"the ':' after '{key}' is missing"
    if name in SECTION_NAMES:
        return "is a section of its own: the line must begin without spaces"
    return ""


def invisible_in_key(character: str) -> str:
    """Return the message for a key that contains an invisible character."""
    return f"the key has {named(character)} in it; write an ordinary space instead, or remove it"

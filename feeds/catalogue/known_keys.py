"""The keys of each mapping in a catalogue, and what to write instead of unknown keys and words."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches

from feeds.catalogue.source import INVISIBLE, named

SECTION_NAMES = ("site", "topics", "countries", "entries")
# Characters that input methods and other notations use for a colon.
COLONS = "：﹕︓∶ː"
_COLON = re.compile(rf"(?P<key>[a-z_]+)\s*(?P<sign>[{COLONS}=;]|=>|->|:(?=\S)|(?<=\s)(?=\S))")
_SEPARATORS = re.compile("[-_ .]+")

_MAX_WORD_LENGTH = 60
_MAX_CANDIDATES = 5
# Similarity from 0 to 1. Higher than difflib's 0.6: Atlantis is not Albania.
MIN_SIMILARITY = 0.7
# For hundreds of choices: Africa is not America, Europe is not Europe/Rome.
HIGH_SIMILARITY = 0.8
_PART = re.compile(r"[^\W_]+")


class Keys:
    """The allowed and the required keys of a mapping, and remedies for others.

    `synonyms` has each allowed key with the words that it is the remedy for, and
    `advice` other remedies. The words are in lower case, without separators.
    """

    def __init__(
        self,
        synonyms: Mapping[str, str],
        *,
        advice: Mapping[str, str] | None = None,
        required: tuple[str, ...] = (),
    ) -> None:
        self.known = frozenset(synonyms)
        self.required = required
        # The words for each key, the key first.
        self.words = {key: (key, *words.split()) for key, words in synonyms.items()}
        rows = {**synonyms, **(advice or {})}
        self._remedies = {word: remedy for remedy, words in rows.items() for word in words.split()}

    def remedy(self, key: str) -> str:
        """Return what to write instead of an unknown key, as the end of a message, or ''."""
        found = self._remedies.get(without_separators(key), "")
        return f"; {found}" if " " in found else f"; write {found!r} instead" if found else ""


def without_separators(key: str) -> str:
    """Return a key as the words of `Keys` are written: `Start_Date` as `startdate`."""
    return _SEPARATORS.sub("", key.lower())


# A missing `id` is reported after all entries are read, so that a free one can be proposed.
ENTRY = Keys(
    {
        "id": "slug uid uuid key identifier",
        "title": "headline heading name subject",
        "date": "published publishdate pubdate publishedat datepublished datetime created createdat time day",
        "updated": "modified lastmod lastmodified lastupdated updatedat dateupdated datemodified changed",
        "summary": "description abstract excerpt intro introduction lead lede teaser blurb subtitle standfirst",
        "body": "content text html markdown article details story",
        "link": "url uri href permalink website weblink source canonical",
        "topics": "tags tag topic category categories keyword keywords subjects themes section",
        "countries": "country location locations place places region regions nation",
        "photo": "image images picture pictures thumbnail cover img enclosure media figure featuredimage",
        "author": "by byline writer creator",
        "authors": "contributors writers creators",
        "guid": "atomid rssid feedid originalid",
        "documents": (
            "document attachment attachments enclosures file files pdf download downloads audio video"
        ),
        "language": "lang locale",
        "license": "licence",
    },
    required=("title", "date"),
    advice={
        "write it inside 'photo': {credit: …}": "credit copyright photographer caption photocredit",
        "write it inside 'photo': {alt: …}": "alt alttext imagealt",
        "an entry is held back until its 'date'": "embargo embargoed notbefore publishafter releasedate",
        "put '#' before the lines of an entry that is not to be published yet": (
            "draft drafts status hidden private visible public"
        ),
        "'rights' is a key of 'site', for all entries": "rights",
        "to withdraw an entry, remove it and list its address under 'retired' in 'site'": (
            "expires expiry expirydate expirationdate until"
        ),
    },
)
SITE = Keys(
    {
        "title": "name heading",
        "url": "link website baseurl home homepage address domain root",
        "description": "tagline subtitle summary about",
        "language": "lang locale",
        "timezone": "tz zone",
        "author": "publisher editor owner organization organisation",
        "rights": "copyright copyrights",
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
        "feed_ids": "feedid atomid atomids",
        "footer": "",
        "license": "licence",
        "country_names": "countrynames countryname countrynaming",
        "id": "guid uid uuid",
    },
    required=("title", "url", "id"),
    advice={
        "write it inside 'author': {email: …}": "email mail",
        "write it at the left margin, not inside 'site'": "topics countries entries",
    },
)
SECTIONS = Keys(
    {
        "entries": "items news posts articles stories entry",
        "topics": "tags categories category keywords",
        "countries": "country",
        "site": "feed channel publication settings config metadata",
    }
)
PHOTO = Keys(
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
DOCUMENT = Keys(
    {
        "url": "src href path link file address",
        "title": "name label caption description text",
        "language": "lang locale hreflang",
        "type": "mime mimetype mediatype",
        "length": "size bytes filesize",
    },
    required=("url",),
    advice={"remove it: the pages are counted in the file": "pages pagecount"},
)
GUID = Keys(
    {
        "id": "all guid text value",
        "atom": "",
        "rss": "",
        "json": "jsonfeed",
        "permalink": "ispermalink",
    }
)
PERSON = Keys({"name": "title", "uri": "url website link homepage", "email": "mail"})
TOPIC = Keys(
    {
        "name": "title label",
        "description": "summary text",
        "scheme": "url uri vocabulary",
    },
    required=("name",),
    advice={"the slug is the key of the topic": "slug id key"},
)

ALL_KEYS = frozenset().union(
    *(keys.known for keys in (SECTIONS, SITE, TOPIC, ENTRY, DOCUMENT, GUID, PHOTO, PERSON))
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


class Suggester:
    """Finds the choice that a mistyped word was probably meant to be.

    After `budget` words it finds nothing: a file full of mistakes must not cost minutes.
    """

    def __init__(self, budget: int = 100) -> None:
        self._budget = budget

    def hint(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        similarity: float = MIN_SIMILARITY,
    ) -> str:
        """Return `; did you mean X?` with the result of `find`, or ''."""
        found = self.find(word, choices, similarity)
        return f"; did you mean {found}?" if found else ""

    def find(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        similarity: float = MIN_SIMILARITY,
    ) -> str:
        """Return the choice most similar to a word, or ''.

        A mapping of choices has what may be typed as keys, and what to suggest as
        values.
        """
        if len(word) > _MAX_WORD_LENGTH or self._budget <= 0:
            return ""
        self._budget -= 1
        shown = choices if isinstance(choices, Mapping) else {choice: choice for choice in choices}
        word = word.casefold()
        folded = {key.casefold(): value for key, value in shown.items()}
        for key in get_close_matches(word, folded, _MAX_CANDIDATES, similarity):
            if _parts_are_similar(word, key, similarity):
                return folded[key]
        return ""


# For reading that only checks whether there are problems: it must not use up the budget.
SILENT = Suggester(budget=0)


def _parts_are_similar(word: str, key: str, similarity: float) -> bool:
    """Check each part by itself: two names are not similar because both begin with `media/`."""
    pairs = [(word, key)]
    parts, others = _PART.findall(word), _PART.findall(key)
    if len(parts) == len(others):
        pairs = [*zip(parts, others, strict=True)]
    else:
        similarity = max(similarity, HIGH_SIMILARITY)
    return all(SequenceMatcher(None, *pair).ratio() >= similarity for pair in pairs)

"""The names that the fields of items have in data files and in front matter."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from feeds.catalogue import known_keys
from feeds.catalogue.known_keys import Keys, without_separators
from feeds.errors import FeedsError
from feeds.importer.nodes import Fields, Items, Node, Text, is_blank

# Words of the catalogue's remedies that mean something else more often.
_EXCLUDED = frozenset(
    "locations location places place regions region media enclosure figure source website details"
    " permalink canonical time day id story section created createdat".split()
)
# In Hugo, a page with both dates is published at the first.
# Of one author and a list of them, the list is complete.
_PREFERRED = {"date": ("publishdate",), "author": ("authors",)}
# Further names, in the order in which they are preferred.
_FURTHER = {
    "title": "event eventname eventtitle newstitle posttitle papertitle paper",
    "date": (
        "startdate startdatetime datestart start begin publicationdate posted posteddate postdate newsdate"
        " eventdate timestamp created createdat when time"
    ),
    "updated": "lastmodifiedat modifiedat modifieddate updateddate lastupdate",
    "summary": "desc blurb synopsis shortdescription postexcerpt",
    "body": (
        "contenthtml contenttext bodyhtml postcontent fulltext story details message news newstext item"
        " announcement"
    ),
    "link": "hyperlink externalurl externallink",
    "topics": "cat cats section",
    "photo": (
        "imageurl imgurl imagesrc imgsrc imagepath photourl banner"
        " heroimage coverimage featureimage headerimage"
    ),
    "id": "postname id",
    "author": "contributors writers creators",
    "documents": "pdfurl fileurl documenturl downloadurl audiourl videourl audiofile pdffile",
    # These are no fields of an entry.
    "page": "permalink path canonical canonicalurl",
    "credit": "credit photographer photocredit imagecredit",
    "alt": "alt alttext imagealt imgalt photoalt caption imagecaption",
    "year": "year",
    "month": "month",
    "day": "day",
}
# The same in Dutch, French, German, Italian, Portuguese and Spanish, without accents.
_TRANSLATED = {
    "title": "titel titre titolo titulo titular uberschrift kop",
    "date": (
        "datum fecha data publicatiedatum datepublication datedepublication veroffentlichtam"
        " datapubblicazione datapublicacao fechapublicacion fechadepublicacion"
    ),
    "summary": (
        "samenvatting resume chapo zusammenfassung riassunto resumo resumen entradilla"
        " ondertitel soustitre untertitel sottotitolo subtitulo"
        " beschrijving omschrijving beschreibung descrizione descricao descripcion"
    ),
    "body": "inhoud tekst contenu texte inhalt contenuto testo conteudo texto contenido cuerpo",
    "link": "lien enlace enlaceurl collegamento",
    "topics": (
        "categorie categorieen kategorie kategorien categoria categorias onderwerp onderwerpen"
        " rubrique rubriques schlagwort schlagworte schlagworter etiqueta etiquetas"
    ),
    "photo": "afbeelding foto bild immagine imagem imagen imagenurl",
    "author": "auteur auteurs autor autoren autore autores",
    "documents": (
        "documenten bijlage bijlagen fichier fichiers piecejointe piecesjointes dokument dokumente"
        " datei dateien anhang anhange documento documenti allegato allegati documentos anexo"
        " anexos ficheiro ficheiros adjunto adjuntos archivo archivos"
    ),
    "language": "taal langue sprache lingua idioma",
    "license": "licentie lizenz licenza licenca licencia",
}
# In JSON, `data` is more often around something else.
_SELDOM = frozenset(("data",))
# Answers of interfaces have the fields of an item in a mapping: `node` and `frontmatter` in
# GraphQL, `attributes` in JSON:API and Strapi, `fields` in Airtable and Contentful.
_ENVELOPES = frozenset("attributes data fields frontmatter node".split())
# Several keys may have values for them.
_LISTS = ("topics", "countries", "documents")
_NOT_PUBLISHED = {
    **dict.fromkeys("draft isdraft hidden private unlisted disabled deleted".split(), "true"),
    **dict.fromkeys(
        "published ispublished publish visible public active enabled online show display".split(),
        "false",
    ),
}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_BOOLEANS = {**dict.fromkeys(_TRUE, "true"), **dict.fromkeys(_FALSE, "false")}
_WITHHELD = (
    *"draft drafts private pending trash hidden auto-draft unpublished members paid".split(),
    *"inactive offline disabled unlisted deleted rejected review concept".split(),
    *("in review", "in progress", "not started", "to do", "todo"),
    *"brouillon entwurf bozza rascunho borrador".split(),
    *_FALSE,
)
_PUBLISHED = (*"published publish public active live online".split(), *_TRUE)
_STATUSES = {**dict.fromkeys(_WITHHELD, "x"), **dict.fromkeys(_PUBLISHED, "")}
_STATUS_NAMES = frozenset(("status", "poststatus", "visibility"))
# Strapi and Directus leave it empty until an item is published.
_PUBLICATION_DATE = "publishedat"
# Where a mapping has its text: WordPress's interface, for one, has `title: {rendered: …}`.
_INNER_TEXTS = tuple(
    "rendered text html markdown value content name url href alias current".split()
)
_INNER_DATES = ("start", "from", "begin", "value", "date", "iso", "$date", "published")


def _ranks() -> dict[str, tuple[str, int]]:
    """Return the field that each name means, and how much it is preferred, 0 the most."""
    found: dict[str, tuple[str, int]] = {}
    for field in known_keys.ENTRY.words | _FURTHER:
        own = known_keys.ENTRY.words.get(field, ())
        usual = [name for name in own if name not in _EXCLUDED]
        further = f"{_FURTHER.get(field, '')} {_TRANSLATED.get(field, '')}".split()
        names = [*_PREFERRED.get(field, ()), *usual, *further]
        for rank, name in enumerate(names):
            found.setdefault(name, (field, rank))
    return found


_RANKS = _ranks()


class Found(NamedTuple):
    """The value of a field, and the key that it has in the source."""

    key: str
    node: Node


class Chosen(NamedTuple):
    """The values of an item's fields, the best one first, and the keys that are no field."""

    values: Mapping[str, list[Found]]
    unused: list[str]

    def first(self, field: str) -> Found | None:
        """Return the value of a field, or None."""
        found = self.values.get(field)
        return found[0] if found else None

    def text(self, field: str, joiner: str = " ") -> str:
        """Return the text of a field, or ''."""
        found = self.first(field)
        return text_of(found.node, joiner) if found else ""


def choose(fields: Mapping[str, Node], paths: Mapping[str, str]) -> Chosen:
    """Return the value of each field: at the path that the user gives, or by the usual names."""
    found: dict[str, list[tuple[int, Found]]] = {}
    unused = []
    paths = {field: _opened(fields, path) for field, path in paths.items()}
    given = {path for path in paths.values() if path}
    for key, node in fields.items():
        word = word_of(key)
        field, rank = _RANKS.get(word, ("", 0))
        if is_blank(node) or key in given or is_status(word, node):
            continue
        if inner := [path for path in given if path.startswith(f"{key}.")]:
            unused += [path for path in keys_in({key: node}) if not _is_at(path, inner)]
        elif field and not paths.get(field):
            found.setdefault(field, []).append((rank, Found(key, node)))
        else:
            unused.append(key)
    values: dict[str, list[Found]] = {}
    for field, candidates in found.items():
        best, *others = (value for _, value in sorted(candidates, key=lambda pair: pair[0]))
        values[field] = [best, *others] if field in _LISTS else [best]
        unused += [value.key for value in others if field not in _LISTS]
    for field, path in paths.items():
        given_node = at_path(fields, path) if path else None
        if given_node is not None and not is_blank(given_node):
            values[field] = [Found(path, given_node)]
    return Chosen(values, unused)


def _is_at(path: str, given: list[str]) -> bool:
    return any(f"{other}.".startswith(f"{path}.") for other in given)


def is_known(key: str) -> bool:
    """Check whether a key is a usual name of a field."""
    word = word_of(key)
    return word in _RANKS and word not in _SELDOM


def word_of(key: str) -> str:
    """Return a key as the known names are written: `Título:` as `titulo`, `Publish?` as `publish`."""
    word = without_separators(key).strip("?:*")
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def opened(node: Fields) -> Fields:
    """Return an item with the fields that a mapping in it has, as in the answers of interfaces.

    Of two values with one key, the inner one is the item's.
    """
    if any(_RANKS.get(word_of(key), ("",))[0] == "title" for key in node.values):
        return node
    for key, inner in node.values.items():
        if word_of(key) in _ENVELOPES and isinstance(inner, Fields):
            beside = {
                f"{other} beside {key}" if other in inner.values else other: value
                for other, value in node.values.items()
                if other != key
            }
            return opened(Fields(node.line, {**beside, **inner.values}, node.fault))
    return node


def _opened(fields: Mapping[str, Node], path: str) -> str:
    """Return a path in an item that is opened, which may begin with what was around its fields."""
    first, _, rest = path.partition(".")
    if rest and first not in fields and word_of(first) in _ENVELOPES and path not in fields:
        return _opened(fields, rest)
    return path


def is_status(word: str, node: Node) -> bool:
    """Check whether a key, without separators, says whether an item is published."""
    value = text_of(node).lower()
    return (
        (word in _STATUS_NAMES and value in _STATUSES)
        or (word in _NOT_PUBLISHED and value in _BOOLEANS)
        or (word == "password" and bool(value))
    )


def has_publication_date(fields: Mapping[str, Node]) -> bool:
    """Check whether an item says when it was published."""
    return any(
        word_of(key) == _PUBLICATION_DATE and not is_blank(node) for key, node in fields.items()
    )


def withheld(fields: Mapping[str, Node], *, are_dated: bool) -> str:
    """Return why an item is not published in its source, such as `draft: true`, or ''.

    `are_dated` is whether other items say when they were published.
    """
    for key, node in fields.items():
        word = word_of(key)
        if are_dated and word == _PUBLICATION_DATE and is_blank(node):
            return f"{key} is empty"
        if not is_status(word, node):
            continue
        value = text_of(node)
        if word == "password":
            return "it has a password"
        is_withheld = (
            _STATUSES[value.lower()]
            if word in _STATUS_NAMES
            else _BOOLEANS[value.lower()] == _NOT_PUBLISHED[word]
        )
        if is_withheld:
            return f"{key}: {value}"
    return ""


def check_paths(records: Iterable[Mapping[str, Node]], paths: Mapping[str, str]) -> None:
    """Check that each path that the user gives exists in some item; raises FeedsError."""
    missing = {field: path for field, path in paths.items() if path}
    keys: dict[str, None] = {}
    for fields in records:
        missing = {
            field: path
            for field, path in missing.items()
            if at_path(fields, _opened(fields, path)) is None
        }
        if not missing:
            return
        keys |= dict.fromkeys(keys_in(fields))
    for field, path in missing.items():
        there = f"; there are {', '.join(keys)}" if keys else ""
        raise FeedsError(f"--{field} {path}: no item has this key{there}")


def keys_in(fields: Mapping[str, Node]) -> list[str]:
    """Return the keys of an item, those of a mapping in it as paths."""
    found = []
    for key, node in fields.items():
        inner = node.values if isinstance(node, Fields) else ()
        found += [f"{key}.{name}" for name in inner] or [key]
    return found


def at_path(fields: Mapping[str, Node], path: str) -> Node | None:
    """Return the value at a path such as `date.start` or `images.0.url`, or None."""
    if path in fields:
        return fields[path]
    node: Node | None = Fields(0, dict(fields))
    for part in path.split("."):
        if isinstance(node, Fields):
            node = node.values.get(part)
        elif isinstance(node, Items) and re.fullmatch("[0-9]{1,6}", part):
            number = int(part)
            node = node.values[number] if number < len(node.values) else None
        else:
            return None
    return node


def picked(found: Found, keys: Keys) -> tuple[dict[str, Node], list[str]]:
    """Return the values of a mapping by their names in a catalogue, and the keys of others."""
    inner = found.node.values if isinstance(found.node, Fields) else {}
    by_word = {without_separators(key): node for key, node in inner.items() if not is_blank(node)}
    values = {
        key: next(by_word[word] for word in words if word in by_word)
        for key, words in keys.words.items()
        if not by_word.keys().isdisjoint(words)
    }
    known = {word for words in keys.words.values() for word in words}
    unused = [
        f"{found.key}.{key}"
        for key, node in inner.items()
        if without_separators(key) not in known and not is_blank(node)
    ]
    return values, unused


def text_of(node: Node, joiner: str = " ") -> str:
    """Return a text, the texts of a list, or the text that a mapping has for it; '' for others."""
    if isinstance(node, Text):
        return node.value.strip()
    if isinstance(node, Items):
        return joiner.join(filter(None, (text_of(value, joiner) for value in node.values)))
    key = _text_key(node)
    return text_of(node.values[key], joiner) if key else ""


def beside_text(found: Found) -> list[str]:
    """Return the paths of what a mapping has beside its text."""
    if not isinstance(found.node, Fields):
        return []
    used = _text_key(found.node)
    return [
        f"{found.key}.{key}"
        for key, node in found.node.values.items()
        if key != used and not is_blank(node)
    ]


def _text_key(fields: Fields) -> str:
    """Return the key of the text in a mapping, or ''."""
    keys = {without_separators(key): key for key in reversed(fields.values)}
    return next((keys[word] for word in _INNER_TEXTS if word in keys), "")


def date_of(found: Found) -> tuple[str, list[str]]:
    """Return a date, or the beginning of a range in a mapping, and the keys that are not used."""
    if not isinstance(found.node, Fields):
        return text_of(found.node, " – "), []
    inner = {key.lower(): text_of(value) for key, value in found.node.values.items()}
    used = [next((key for key in _INNER_DATES if inner.get(key)), "")]
    if not used[0]:
        used = ["year", "month", "day"]
    unused = [f"{found.key}.{key}" for key in found.node.values if key.lower() not in used]
    if len(used) > 1:
        return date_in_parts(*(inner.get(key, "") for key in used)), unused
    return inner[used[0]], unused


def date_in_parts(year: str, month: str, day: str) -> str:
    """Return a date of the parts that an item has of it."""
    if year.isdecimal() and month.isdecimal() and day.isdecimal():
        return f"{year}-{month:0>2}-{day:0>2}"
    return " ".join(filter(None, (day, month, year)))

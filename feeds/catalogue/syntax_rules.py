"""Signs that are not what YAML needs: quotes, colons, dashes, brackets, spaces."""

import re
from collections.abc import Iterator

from feeds.catalogue.invisible import INVISIBLE, SIGNS, SPACE, named
from feeds.catalogue.known_keys import COLONS
from feeds.catalogue.passages import Passage
from feeds.catalogue.repairs import (
    ANY_OF_KEYS,
    BEFORE_VALUE,
    Repair,
    Rule,
    key_columns,
    quoted,
    quoting,
    rewriting,
)
from feeds.catalogue.source import CONFLICT

_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?: |\Z)")
# They look like a space, or like nothing, and end a line (YAML 1.1 §5.4).
_SEPARATOR = re.compile("[\x85\u2028\u2029]")
# Where the spaces of a line mean something to YAML.
_GAP = rf"[\s{SIGNS}]*+"
_STRUCTURE = re.compile(rf"{_GAP}(?:-{_GAP})?(?:[\w-]+{_GAP}:{_GAP})?")
_VALUE_LINE = re.compile(rf"{BEFORE_VALUE}(?P<here>.*)")
_QUOTES = "“”„‟«»‹›‘’‚‛「」『』《》〈〉〝〞＂＇"
_FOREIGN = re.compile(rf"{BEFORE_VALUE}(?P<here>[{_QUOTES}].*)")
_QUOTED_LINE = re.compile(
    r"""(?P<before> *(?:- +)?)(?P<quote>["'])(?P<key>[\w-]+) *:(?P<text>.*)"""
)
_UNCLOSED = re.compile(BEFORE_VALUE + r"""(?P<here>"(?:[^"\\]|\\.)*|'(?:[^']|'')*)""")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_BULLETS = "•·‣▪●○◦–—−"
_IN_BRACES = re.compile(BEFORE_VALUE + r"(?P<here>\{.*\})\s*")
_FIELD = re.compile(r"""(?<=[{,]) *(?P<key>[a-z]+): +(?P<text>[^\s"'].*?)(?=, *[a-z]+: |\}\Z)""")
_IS_READ = re.compile(r"[\[\]{},]|: | #")


def merge_conflict(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose to remove the lines that git marks two versions with."""
    if _MARKER.match(passage.lines[number]):
        markers = [line for line, text in enumerate(passage.lines) if _MARKER.match(text)]
        yield Repair(markers[0], 0, CONFLICT, dict.fromkeys(markers, ""))


def _separator(passage: Passage, number: int) -> Iterator[Repair]:
    line = passage.lines[number]
    for found in reversed([*_SEPARATOR.finditer(line)]):
        if (number, found.start()) < (passage.at, passage.column):
            name = f"U+{ord(found[0]):04X}"
            message = f"the invisible character {name} ends the line here; remove it"
            plain = _SEPARATOR.sub(" ", line)
            value = _VALUE_LINE.fullmatch(plain)
            # What it separates may have a colon, and be the next mistake.
            for changed in (plain, value["before"] + quoted(value["here"])) if value else (plain,):
                yield Repair(number, found.start(), message, {number: changed})
            return


def _invisible(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose ordinary spaces for other ones in the indentation, and around `-` and `:`."""
    line = passage.lines[number]
    around = _STRUCTURE.match(line)
    found = INVISIBLE.search(around[0]) if around else None
    if around and found:
        message = f"the invisible character {named(found[0])} is here; remove it"
        if SPACE.match(found[0]):
            message = f"{named(found[0])} is not a space to YAML; write ordinary spaces instead"
        plain = INVISIBLE.sub("", SPACE.sub(" ", around[0])) + line[around.end() :]
        columns = key_columns(passage, number)
        for changed in (plain, *(" " * column + plain.lstrip(" ") for column in columns)):
            yield Repair(number, found.start(), message, {number: changed})


def _foreign_quotes(passage: Passage, number: int) -> Iterator[Repair]:
    found = _FOREIGN.fullmatch(passage.lines[number])
    if found:
        text = found["here"].rstrip()
        signs = dict.fromkeys((text[0], text[-1] if text[-1] in _QUOTES else text[0]))
        message = (
            f"{' '.join(signs)} are not quotes to YAML;"
            """ write " " instead, or put the whole text in ' '"""
        )
        changed = found["before"] + quoted(text)
        yield Repair(number, found.start("here"), message, {number: changed})


def _quote_before_key(passage: Passage, number: int) -> Iterator[Repair]:
    found = _QUOTED_LINE.fullmatch(passage.lines[number])
    if found:
        text = found["text"].strip().removesuffix(found["quote"])
        message = f"the quote belongs after '{found['key']}:', not before it"
        changed = f"{found['before']}{found['key']}:{' ' + quoted(text) if text else ''}"
        yield Repair(number, found.start("quote"), message, {number: changed})


def _unclosed_quote(passage: Passage, number: int) -> Iterator[Repair]:
    found = _UNCLOSED.fullmatch(passage.lines[number])
    if not found:
        return
    quote, last = found["here"][0], found["here"].rstrip()[-1]
    changed = found.string + quote
    if last in _QUOTES:
        message = f"the quote that opens here is not closed by {last}; write {quote}"
        yield Repair(number, found.start("here"), message, {number: changed})
    elif "end of stream" not in passage.message:
        # Where the file ends within quotes, libyaml itself names the one that opens.
        message = "the quote that opens here is not closed"
        yield Repair(number, found.start("here"), message, {number: changed})


def _apostrophes(passage: Passage, number: int) -> Iterator[Repair]:
    line = passage.lines[number]
    found = _APOSTROPHE.search(line)
    if found:
        message = "within ' ', write '' for each '; or put the text in \" \""
        changed = _APOSTROPHE.sub("''", line)
        yield Repair(number, found.start(), message, {number: changed})


def _within_braces(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose quotes for the texts in braces that have signs of YAML's own."""
    line = passage.lines[number]
    braces = _IN_BRACES.fullmatch(line)
    fields = _FIELD.finditer(line, braces.start("here"), braces.end("here")) if braces else ()
    wrong = [field for field in fields if _IS_READ.search(field["text"])]
    if wrong:
        message = (
            f"put the text of '{wrong[0]['key']}' in quotes:"
            " within { }, YAML reads ':', ',', '[', ']', '{' and '}' as its own"
        )
        changed = line
        for field in reversed(wrong):
            begin, end = field.span("text")
            changed = changed[:begin] + quoted(field["text"]) + changed[end:]
        yield Repair(number, wrong[0].start("text"), message, {number: changed})


# The most specific first.
SIGN_RULES: tuple[Rule, ...] = (
    _separator,
    _invisible,
    rewriting(
        r"(?P<before> *)(?P<here>//|;|<!--|/\*|%)",
        r"\g<before># ",
        "a comment begins with '#', not with '{here}'",
    ),
    rewriting(
        r"(?P<before> *)(?P<here>`{3,}\w*|~{3,}\w*|[\]})]+[,;]?|[-=_*~+]{4,}|\.{3,}|…|,)\s*\Z",
        "",
        "remove this line: '{here}' is not part of the catalogue",
    ),
    _foreign_quotes,
    _quote_before_key,
    rewriting(
        "(?P<before> *)(?P<here>-)(?=[^ -])", r"\g<before>- ", "a space after the '-' is missing"
    ),
    rewriting(
        r"(?P<before> *-)(?P<here> {2,})(?=\S)",
        r"\g<before> ",
        "write one space after '-': the keys of an item begin in one column",
    ),
    rewriting(
        rf"(?P<before> *)(?P<here>[{_BULLETS}](?=\s*\S)|(?:[*+]|--|[0-9]+[.)])(?=\s+\S))\s*",
        r"\g<before>- ",
        "an item of a list begins with '- ', not with '{here}'",
    ),
    rewriting(
        rf"(?P<before> *(?:- +)?)(?P<here>{ANY_OF_KEYS})\s*(?P<sign>[{COLONS}=;]|=>|->)\s*",
        r"\g<before>\g<here>: ",
        "after '{here}', write ': ' instead of '{sign}'",
    ),
    rewriting(
        r"""(?P<before> *(?:- +)?)(?P<here>(?P<quote>["']?)[\w-]+(?P=quote)):(?!//)(?=[^\s:])""",
        r"\g<before>\g<here>: ",
        "a space after the ':' is missing",
    ),
    rewriting(
        rf"(?P<before> *(?:- +)?)(?P<here>{ANY_OF_KEYS})(?=\s+[^\s:]|\s*\Z)",
        r"\g<before>\g<here>:",
        "the ':' after '{here}' is missing",
    ),
    rewriting(
        r"""(?P<before>[^#]*["'\]}])(?P<here>,)\s*\Z""",
        r"\g<before>",
        "remove the ',' at the end of the line",
    ),
    rewriting(
        rf"(?P<before> *(?:{ANY_OF_KEYS}) *:) *(?P<here>[\[{{])\s*\Z",
        r"\g<before>",
        "remove the '{here}': what follows is written without brackets",
    ),
    quoting(
        r"(?P<here>(?P<first>[\[{])[^\[\]{}]*[\]}] *[^\s#,].*)",
        "put the whole text in quotes: to YAML, '{first}' begins a list or a mapping",
    ),
    _apostrophes,
    quoting(
        r"(?P<here>'(?:[^']|'')*+'(?!\s*\Z).*')\s*",
        "the text ends at the second ': write '' for each ' within it, or put it in \" \"",
    ),
    quoting(
        r'(?P<here>"(?:[^"\\]|\\.)*+"(?!\s*\Z).*")\s*',
        "the text ends at the second \": put the whole text in ' '",
    ),
    quoting(
        r"""(?P<here>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*') *[^\s#,].*)""",
        "put the whole text in quotes: it goes on after the quote that closes",
    ),
    quoting("(?P<here>(?P<first>[@`%]).*)", "a text that begins with {first} must be in quotes"),
    _unclosed_quote,
    _within_braces,
)

# These come last: what is meant is less certain.
missing_colon: Rule = rewriting(
    rf"(?P<before> *(?:- +)?)(?P<here>[a-z0-9_.-]+|[A-Z]{{2,3}})"
    rf"(?:\s*[{COLONS}=]\s*|\s+(?=[^\s:])|\s*\Z)",
    r"\g<before>\g<here>: ",
    "if '{here}' is a key, write ': ' after it",
)
other_text: Rule = rewriting(
    r"(?! *(?:- |[\"']?[\w-]+[\"']? *:(?:\s|\Z)))(?P<before> *)(?P<here>\S.*)\Z",
    "",
    "the line does not begin with a key: remove it, or begin it with '# ' if it is a comment",
)

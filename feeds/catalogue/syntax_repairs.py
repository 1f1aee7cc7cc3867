"""Repairs of lines that are not YAML, each proved by parsing the changed lines.

A rule looks at one line of a passage, and proposes repairs. A repair is reported only
if libyaml then finds nothing wrong, or only something further below: so a message
never names a wrong cause. The rules here are for characters, such as quotes,
colons, dashes, brackets and spaces.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import yaml

from feeds.catalogue.known_keys import ALL_KEYS, COLONS
from feeds.catalogue.reader import quoted
from feeds.catalogue.source import CONFLICT, INVISIBLE, SIGNS, SPACE, named

# The most lines of a passage above and below the place that libyaml reports.
_LINES_ABOVE = 400
_LINES_BELOW = 40
_MAX_PASSAGE_LENGTH = 150_000
# Items above the mistake, if its section begins too far above.
_ITEMS_ABOVE = 3
# Each repair that is tried costs a parse of the passage.
_MAX_CHARACTERS_PARSED = 1_500_000
_MAX_TRIALS = 120
_MAX_TRIALS_OF_A_RULE = 40
_MAX_COLUMNS = 3
_SECTION = re.compile(r"(?:site|topics|countries|entries)[ \t]*:")
# libyaml reports where it gave up, and separately where these mistakes began.
_BEGUN = (
    *("end of stream", "could not find expected ':'"),
    *("did not find expected ','", "did not find expected comment or line break"),
)

_ANY_KEY = "|".join(sorted(ALL_KEYS))
KEY_LINE = re.compile(
    r"""( *)(?P<dash>- +)?(?P<quote>["']?)(?P<key>[\w-]+)(?P=quote) *:(?P<value>\Z|[ \t].*)"""
)
KNOWN_KEY_LINE = re.compile(rf"( *)(?P<dash>- +)?(?P<key>{_ANY_KEY}) *:(?=[ \t]|\Z)")
ITEM = re.compile("( *)(?P<dash>- +)")
_BEFORE_VALUE = r"(?P<before> *(?:- +)?(?:[\w-]+ *: +)?)"
_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?: |\Z)")
# Invisible characters that end a line (YAML 1.1 §5.4).
_SEPARATOR = re.compile("[\x85\u2028\u2029]")
# The parts of a line in which spaces have a meaning in YAML.
_GAP = rf"[\s{SIGNS}]*+"
_STRUCTURE = re.compile(rf"{_GAP}(?:-{_GAP})?(?:[\w-]+{_GAP}:{_GAP})?")
_VALUE_LINE = re.compile(rf"{_BEFORE_VALUE}(?P<here>.*)")
_QUOTES = "“”„‟«»‹›‘’‚‛「」『』《》〈〉〝〞＂＇"
_FOREIGN = re.compile(rf"{_BEFORE_VALUE}(?P<here>[{_QUOTES}].*)")
_UNCLOSED = re.compile(_BEFORE_VALUE + r"""(?P<here>"(?:[^"\\]|\\.)*|'(?:[^']|'')*)""")
_BULLETS = "•·‣▪●○◦–—−"
_IN_BRACES = re.compile(_BEFORE_VALUE + r"(?P<here>\{.*\})\s*")
_FIELD = re.compile(r"""(?<=[{,]) *(?P<key>[a-z]+): +(?P<text>[^\s"'].*?)(?=, *[a-z]+: |\}\Z)""")
_IS_READ = re.compile(r"[\[\]{},]|: | #")


class Mistake(NamedTuple):
    """A message of libyaml, and the place of the character at fault; both counts are from 0."""

    message: str
    line: int
    column: int


class Passage(NamedTuple):
    """Some lines of a file in which libyaml finds the same first mistake as in the file.

    `lines` are without their ends. The first `added` ones are not in the file, but
    begin the section of the others. `first` is the number of `lines[0]` in the file,
    as if the added ones replaced those above. The mistake's line is that in the passage.
    """

    lines: list[str]
    added: int
    first: int
    mistake: Mistake

    def parses_with(self, changed: Mapping[int, str]) -> bool | None:
        """Return True if changed lines leave no mistake, None if one further below, else False."""
        text = "\n".join(changed.get(number, line) for number, line in enumerate(self.lines))
        found = _first_mistake(text)
        if found is None:
            return True
        return None if found.line > self.mistake.line else False

    def key_columns(self, number: int, *, of_items: bool = False) -> list[int]:
        """Return the columns of the keys, or of the items, that are nearest to a line."""
        pattern = ITEM if of_items else KNOWN_KEY_LINE
        others = (*range(number - 1, -1, -1), *range(number + 1, len(self.lines)))
        found = (pattern.match(self.lines[other]) for other in others)
        group = "dash" if of_items else "key"
        return [*dict.fromkeys(match.start(group) for match in found if match)][:_MAX_COLUMNS]


class Repair(NamedTuple):
    """The place in a line, the message, and the changed lines by their numbers."""

    line: int
    column: int
    message: str
    changed: Mapping[int, str]


Rule = Callable[[Passage, int], Iterator[Repair]]


def parser_error(error: yaml.MarkedYAMLError) -> tuple[str, int]:
    """Return the message of an error, with the index at which the mistake begins."""
    message = error.problem or error.context or "the parser gave up"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and any(words in message for words in _BEGUN):
        mark = error.context_mark
    return message, mark.index if mark else 0


def passage_around(text: str, error: yaml.MarkedYAMLError) -> Passage | None:
    """Return a passage with the file's first mistake, or None if it depends on lines far away."""
    mistake = _mistake(text, *parser_error(error))
    at = mistake.line
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
    places = [text.count("\n", 0, mark.index) for mark in marks]
    top = min((place for place in places if at - place < _LINES_ABOVE), default=at)
    end = max((place for place in places if place - at < _LINES_BELOW), default=at)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    below = lines[top : end + _LINES_BELOW]
    for first, above in _beginnings(lines, min(top, at)):
        found = [*above, *lines[first:top], *below]
        start = first - len(above)
        same = mistake._replace(line=at - start)
        if sum(map(len, found)) < _MAX_PASSAGE_LENGTH and _first_mistake("\n".join(found)) == same:
            return Passage(found, len(above), start, same)
    return None


def _beginnings(lines: list[str], top: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines at which a passage may begin, with what to put before each."""
    low = max(top - _LINES_ABOVE, 0)
    if not low:
        yield 0, []
    numbers = range(low, top + 1)
    sections = [number for number in numbers if _SECTION.match(lines[number])]
    yield from ((number, []) for number in sections[-1:])
    dashes = [
        (number, indentation(lines[number])) for number in numbers if ITEM.match(lines[number])
    ]
    least = min((column for _, column in dashes), default=0)
    items = [number for number, column in dashes if column == least]
    yield from ((number, ["entries:"]) for number in items[-_ITEMS_ABOVE:])


def _mistake(text: str, message: str, index: int) -> Mistake:
    return Mistake(message, text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1)


def _first_mistake(text: str) -> Mistake | None:
    """Return the first mistake that libyaml finds in a text, or None."""
    try:
        for _ in yaml.parse(text, Loader=yaml.CBaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        return _mistake(text, *parser_error(error))
    except yaml.reader.ReaderError as error:
        return _mistake(text, error.reason, error.position)
    return None


def find_repair(passage: Passage, rules: Sequence[Rule]) -> Repair | None:
    """Return the first repair that is proved, or None.

    Rules are tried in their order, each at the lines nearest to the reported place
    first. Of one rule, a repair that leaves nothing wrong is preferred to one that
    leaves something further below.
    """
    trials = min(_MAX_TRIALS, _MAX_CHARACTERS_PARSED // max(sum(map(len, passage.lines)), 1))
    numbers = range(passage.mistake.line, passage.added - 1, -1)
    for rule in rules:
        later = None
        repairs = (repair for number in numbers for repair in rule(passage, number))
        for repair in islice(repairs, min(_MAX_TRIALS_OF_A_RULE, trials)):
            trials -= 1
            parses = passage.parses_with(repair.changed)
            if parses:
                return repair
            if parses is None:
                later = later or repair
        if later:
            return later
    return None


def _rewriting(pattern: str, change: str | Callable[[re.Match[str]], str], message: str) -> Rule:
    """Return a rule for one line: its match is replaced, and the message is for its group `here`.

    `change` is a template of the replacement, or returns it.
    """
    compiled = re.compile(pattern)

    def rule(passage: Passage, number: int) -> Iterator[Repair]:
        found = compiled.match(passage.lines[number])
        if found:
            new = found.expand(change) if isinstance(change, str) else change(found)
            text = message.format_map(found.groupdict())
            changed = {number: new + found.string[found.end() :]}
            yield Repair(number, found.start("here"), text, changed)

    return rule


def _quoting(pattern: str, message: str) -> Rule:
    """Return a rule for a value that must be in quotes: the group `here`."""
    return _rewriting(rf"{_BEFORE_VALUE}{pattern}\Z", _value_in_quotes, message)


def _value_in_quotes(found: re.Match[str]) -> str:
    return found["before"] + quoted(found["here"].strip())


def _quote_after_key(found: re.Match[str]) -> str:
    text = found["text"].strip().removesuffix(found["here"])
    return f"{found['before']}{found['key']}:{' ' + quoted(text) if text else ''}"


def indentation(line: str) -> int:
    """Return how many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def merge_conflict(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose to remove the lines with which git marks a merge conflict."""
    if _MARKER.match(passage.lines[number]):
        markers = [line for line, text in enumerate(passage.lines) if _MARKER.match(text)]
        yield Repair(markers[0], 0, CONFLICT, dict.fromkeys(markers, ""))


def _separator(passage: Passage, number: int) -> Iterator[Repair]:
    line = passage.lines[number]
    for found in reversed([*_SEPARATOR.finditer(line)]):
        if (number, found.start()) < passage.mistake[1:]:
            name = f"U+{ord(found[0]):04X}"
            message = f"the invisible character {name} ends the line here; remove it"
            plain = _SEPARATOR.sub(" ", line)
            # The text after it may have a colon, and be the next mistake.
            for changed in (plain, _VALUE_LINE.sub(_value_in_quotes, plain, count=1)):
                yield Repair(number, found.start(), message, {number: changed})
            return


def _invisible(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose ordinary spaces for others in the indentation, and around `-` and `:`."""
    line = passage.lines[number]
    around = _STRUCTURE.match(line)
    found = INVISIBLE.search(around[0]) if around else None
    if around and found:
        message = f"the invisible character {named(found[0])} is here; remove it"
        if SPACE.match(found[0]):
            message = f"{named(found[0])} is not a space to YAML; write ordinary spaces instead"
        plain = INVISIBLE.sub("", SPACE.sub(" ", around[0])) + line[around.end() :]
        columns = passage.key_columns(number)
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


def _unclosed_quote(passage: Passage, number: int) -> Iterator[Repair]:
    found = _UNCLOSED.fullmatch(passage.lines[number])
    if not found:
        return
    quote, last = found["here"][0], found["here"].rstrip()[-1]
    message = "the quote that opens here is not closed"
    if last in _QUOTES:
        message += f" by {last}; write {quote}"
    # If the file ends within quotes, libyaml itself names the quote that opens.
    if last in _QUOTES or "end of stream" not in passage.mistake.message:
        yield Repair(number, found.start("here"), message, {number: found.string + quote})


def _within_braces(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose quotes for the texts in braces that contain characters with a meaning in YAML."""
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
            changed = changed[:begin] + quoted(field["text"].strip()) + changed[end:]
        yield Repair(number, wrong[0].start("text"), message, {number: changed})


# The most specific first.
CHARACTER_RULES: tuple[Rule, ...] = (
    _separator,
    _invisible,
    _rewriting(
        r"(?P<before> *)(?P<here>//|;|<!--|/\*|%)",
        r"\g<before># ",
        "a comment begins with '#', not with '{here}'",
    ),
    _rewriting(
        r"(?P<before> *)(?P<here>`{3,}\w*|~{3,}\w*|[\]})]+[,;]?|[-=_*~+]{4,}|\.{3,}|…|,)\s*\Z",
        "",
        "remove this line: '{here}' is not part of the catalogue",
    ),
    _foreign_quotes,
    _rewriting(
        r"""(?P<before> *(?:- +)?)(?P<here>["'])(?P<key>[\w-]+) *:(?P<text>.*)""",
        _quote_after_key,
        "the quote belongs after '{key}:', not before it",
    ),
    _rewriting(
        "(?P<before> *)(?P<here>-)(?=[^ -])", r"\g<before>- ", "a space after the '-' is missing"
    ),
    _rewriting(
        r"(?P<before> *-)(?P<here> {2,})(?=\S)",
        r"\g<before> ",
        "write one space after '-': the keys of an item begin in one column",
    ),
    _rewriting(
        rf"(?P<before> *)(?P<here>[{_BULLETS}](?=\s*\S)|(?:[*+]|--|[0-9]+[.)])(?=\s+\S))\s*",
        r"\g<before>- ",
        "an item of a list begins with '- ', not with '{here}'",
    ),
    _rewriting(
        rf"(?P<before> *(?:- +)?)(?P<here>{_ANY_KEY})\s*(?P<sign>[{COLONS}=;]|=>|->)\s*",
        r"\g<before>\g<here>: ",
        "after '{here}', write ': ' instead of '{sign}'",
    ),
    _rewriting(
        r"""(?P<before> *(?:- +)?)(?P<here>(?P<quote>["']?)[\w-]+(?P=quote)):(?!//)(?=[^\s:])""",
        r"\g<before>\g<here>: ",
        "a space after the ':' is missing",
    ),
    _rewriting(
        rf"(?P<before> *(?:- +)?)(?P<here>{_ANY_KEY})(?=\s+[^\s:]|\s*\Z)",
        r"\g<before>\g<here>:",
        "the ':' after '{here}' is missing",
    ),
    _rewriting(
        r"""(?P<before>[^#]*["'\]}])(?P<here>,)\s*\Z""",
        r"\g<before>",
        "remove the ',' at the end of the line",
    ),
    _rewriting(
        rf"(?P<before> *(?:{_ANY_KEY}) *:) *(?P<here>[\[{{])\s*\Z",
        r"\g<before>",
        "remove the '{here}': what follows is written without brackets",
    ),
    _quoting(
        r"(?P<here>(?P<first>[\[{])[^\[\]{}]*[\]}] *[^\s#,].*)",
        "put the whole text in quotes: to YAML, '{first}' begins a list or a mapping",
    ),
    _rewriting(
        r".*?(?<=\w)(?P<here>')(?=\w).*",
        lambda found: re.sub(r"(?<=\w)'(?=\w)", "''", found[0]),
        "within ' ', write '' for each '; or put the text in \" \"",
    ),
    _quoting(
        r"(?P<here>'(?:[^']|'')*+'(?!\s*\Z).*')\s*",
        "the text ends at the second ': write '' for each ' within it, or put it in \" \"",
    ),
    _quoting(
        r'(?P<here>"(?:[^"\\]|\\.)*+"(?!\s*\Z).*")\s*',
        "the text ends at the second \": put the whole text in ' '",
    ),
    _quoting(
        r"""(?P<here>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*') *[^\s#,].*)""",
        "put the whole text in quotes: it goes on after the quote that closes",
    ),
    _quoting("(?P<here>(?P<first>[@`%]).*)", "a text that begins with {first} must be in quotes"),
    _unclosed_quote,
    _within_braces,
)

# To be tried last: what is meant is less certain.
missing_colon: Rule = _rewriting(
    rf"(?P<before> *(?:- +)?)(?P<here>[a-z0-9_.-]+|[A-Z]{{2,3}})"
    rf"(?:\s*[{COLONS}=]\s*|\s+(?=[^\s:])|\s*\Z)",
    r"\g<before>\g<here>: ",
    "if '{here}' is a key, write ': ' after it",
)
other_text: Rule = _rewriting(
    r"(?! *(?:- |[\"']?[\w-]+[\"']? *:(?:\s|\Z)))(?P<before> *)(?P<here>\S.*)\Z",
    "",
    "the line does not begin with a key: remove it, or begin it with '# ' if it is a comment",
)

"""Synthetic catalogues of any size, the same for the same seed."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from babel import Locale

TOPICS = 24
COUNTRIES = 190
_NEWEST = datetime(2026, 6, 1, 9, tzinfo=timezone(timedelta(hours=2)))
_WORDS = """
access agency agreement and assembly at benefit board budget by care cash child claim
contribution convention cost council country coverage crisis data decent decree disability draft
economy employer expert family farmer finance for formal from fund gap gender government grant
health household in income informal insurance international investment job labour launch law
leader maternity measure member migrant minister ministry national new of office older on partner
pension people plan policy poverty programme project protection public quality reform region
registry report resilience right rural sector security service shock sickness social staff
standard strategy study subsidy support sustainable system technical the to training transfer
tripartite unemployment union universal village wage with woman work worker workshop world young
""".split()
_HEAD = """site:
  title: Synthetic news
  url: https://news.example.org/
  id: tag:news.example.org,2016:synthetic
  timezone: Europe/Zurich
  author: {name: Example Agency}
"""
# The job that every peer can do: Atom and RSS of everything, each topic, each country.
PLAIN = "  formats: [atom, rss]\n  feeds: [topics, countries]\n"


def country_codes() -> list[str]:
    """Return the codes of the countries that the entries are about."""
    names = Locale("en").territories
    no_countries = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split()
    codes = (code for code in sorted(names) if code.isalpha() and len(code) == len("VN"))
    return [code for code in codes if code not in no_countries][:COUNTRIES]


def catalogue(entries: int, *, bodies: bool = False, site: str = PLAIN, seed: int = 1) -> str:
    """Return a catalogue's YAML: some 700 bytes an entry, 200 words of Markdown more with bodies.

    `site` are more lines for the masthead.
    """
    dice = random.Random(seed)  # noqa: S311  # reproducible, not secret
    topics = "".join(f"  topic-{number:02d}: Topic {number}\n" for number in range(TOPICS))
    items = "".join(_items(dice, entries, bodies=bodies))
    return f"{_HEAD}{site}\ntopics:\n{topics}\nentries:\n{items}"


def _items(dice: random.Random, count: int, *, bodies: bool) -> Iterator[str]:
    codes = country_codes()
    moment = _NEWEST
    # Ten years, whatever the count.
    step = timedelta(days=3650) / count
    for number in range(count, 0, -1):
        moment -= step
        topics = ", ".join(f"topic-{t:02d}" for t in sorted(dice.sample(range(TOPICS), 2)))
        countries = ", ".join(dice.sample(codes, dice.choice((1, 1, 2, 3))))
        yield (
            f"- id: entry-{number:06d}\n"
            f"  title: {_sentence(dice, 10)}\n"
            f"  date: {moment.replace(microsecond=0).isoformat()}\n"
            f"  summary: {_sentence(dice, 55)}.\n"
            + (_body(dice) if bodies else "")
            + f"  link: https://www.example.org/news/{number}/{dice.choice(_WORDS)}.html\n"
            f"  topics: [{topics}]\n"
            f"  countries: [{countries}]\n"
            f"  photo: {{url: https://www.example.org/photos/{number}.jpg,"
            f" credit: © Agency {moment.year}, alt: {_sentence(dice, 5)}}}\n"
        )


def _sentence(dice: random.Random, words: int) -> str:
    chosen = dice.choices(_WORDS, k=words)
    return " ".join(chosen).capitalize()


def _body(dice: random.Random) -> str:
    """Return 200 words of Markdown, as a field."""
    paragraphs = [
        f"{_sentence(dice, 30)} **{_sentence(dice, 4)}** {_sentence(dice, 16)}.",
        f"## {_sentence(dice, 5)}",
        *(
            f"- {_sentence(dice, 15)} [{_sentence(dice, 3)}](https://www.example.org/)"
            for _ in "abc"
        ),
        f"{_sentence(dice, 45)}, *{_sentence(dice, 3)}* {_sentence(dice, 12)}.",
        f"> {_sentence(dice, 30)}.",
    ]
    lines = "\n\n".join(paragraphs).split("\n")
    return "  body: |\n" + "".join(f"    {line}\n" if line else "\n" for line in lines)

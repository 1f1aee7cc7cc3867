"""Bodies for property tests: Markdown and HTML of all kinds, mixed and mangled."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Attributes = list[tuple[str, str]]

_WORDS = """
labour Genève 社会 الحماية कार्य 2021 a_b R&D x<y *star* [note] ~~old~~ `code` &amp; &copy; \\*
https://www.example.org/a_(b)?c=1&d=[2] www.example.org me@example.org <https://example.org/>
![p](https://example.org/a.png) [l](https://я.рф/ä) [e](entries/x/) [w](www.example.org) [^1]
[f](ftp://example.org) \u00a0
""".split(" ")
_NAMES = """
a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink
blockquote br button canvas caption center cite code col colgroup data datalist dd del details dfn
dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4
h5 h6 head header hgroup hr html body i iframe img input ins kbd label legend li link listing main
map mark marquee math menu meta meter nav nobr noembed noframes noscript object ol optgroup option
output p param picture pre progress q rb rp rt rtc ruby s samp script section select slot small
source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead
time title tr track tt u ul var video wbr xmp o:p x-y Name
""".split()
_KEYS = """
href src id name class style lang xml:lang dir title alt align width height colspan rowspan scope
start value type reversed datetime cite data onclick hreflang data-x data-src srcset border headers
role aria-label open poster
""".split()
_VALUES = [
    *("", "x", "1", "-3", "50%", "999999", "0", "row", "A", "a b", "2022-05-24", "2022-13-01"),
    *("en", "pt-BR", "english", "xx-yy", "fr_FR", "ltr", "RTL", "right", "justify", "hidden"),
    *("https://example.org/", "https://example.org/?a[b]=1", "entries/x/", "media/x.png", "#x"),
    *("javascript:alert(1)", "data:image/png;base64,AA==", "www.example.org", "mailto:a@b.org"),
    *(
        "tel:+41 22",
        "C:\\x",
        "“x”",
        "//y.org/z",
        "https://[x/",
        "text\u200b",
        "https://é.example/ü",
    ),
]

_texts = st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)
_attributes = st.lists(st.tuples(st.sampled_from(_KEYS), st.sampled_from(_VALUES)), max_size=3)


def _tag(name: str, attributes: Attributes, inside: list[str], *, closed: bool = True) -> str:
    given = "".join(f' {key}="{value}"' for key, value in attributes)
    return f"<{name}{given}>{''.join(inside)}" + (f"</{name}>" if closed else "")


def _within(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    some = st.lists(inner, max_size=3)
    closed = st.integers(0, 9).map(bool)
    tags = st.builds(_tag, st.sampled_from(_NAMES), _attributes, some, closed=closed)
    return tags | some.map("".join)


_html = st.recursive(_texts, _within, max_leaves=12)
# The Nu checker misses cells below one that spans three columns or more.
_spans = st.tuples(st.sampled_from(["colspan", "rowspan"]), st.sampled_from("012"))
_cells = st.builds(
    _tag,
    st.sampled_from(["td", "th"]),
    st.lists(_spans, max_size=1),
    _texts.map(lambda text: [text]),
)
_rows = st.builds(_tag, st.just("tr"), st.just([]), st.lists(_cells, max_size=4))
_parts = st.builds(
    _tag,
    st.sampled_from(["thead", "tbody", "tfoot", "caption", "colgroup"]),
    st.just([]),
    st.lists(_rows, max_size=4),
)
_tables = st.builds(_tag, st.just("table"), st.just([]), st.lists(_parts, max_size=4))
_blocks = st.one_of(
    _texts,
    _html,
    _html.map(str.strip),
    _tables,
    *map(
        _texts.map,
        [
            "# {}".format,
            "### {}".format,
            "- {}\n- [x] y\n  1. z".format,
            "> {}".format,
            "```py\n{}\n```".format,
            "| a | b |\n|:-|-:|\n| {} | 2 | 3 |".format,
            "[^1]: {}".format,
            "[n]: https://example.org/ '{}'".format,
        ],
    ),
    st.just("***"),
)

# What people write, and what programs paste.
bodies = st.lists(_blocks, min_size=1, max_size=5).map("\n\n".join)
# What is close to what `surely_published` looks for.
near_links = st.lists(
    st.sampled_from(
        [
            *("a", "é", " ", "\n", "\n\n", "*", "**", "_", "`", "#", "# ", "- ", "1. ", "> ", ":"),
            *(
                "[",
                "]",
                "(",
                ")",
                "![",
                "](",
                ' "t"',
                "<",
                ">",
                "~~",
                "|",
                "|-|",
                "\\",
                "    ",
                "\t",
            ),
            *("https://x.org", "https://x.org/a", "http://", "www.x.org", "me@x.org", "&amp;"),
            *("[^1]", "[^1]: ", "<b>", "</b>", "<p>", "<br>", "<https://x.org>", "- [ ] ", "***"),
            *("[x](https://x.org/a)", "![x](https://x.org/a.png)", "---", "```"),
        ]
    ),
    max_size=14,
).map("".join)

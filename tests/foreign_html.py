"""HTML of other publishers for property tests: texts that look like markup, in all usual elements."""

from html import escape

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_SIGNS = [
    *r"""
a wörd B2 * ** **bold** _a_ a_b_c __x__ `code` `` <b> </p> &amp; &lt;i&gt; &copy; & < > [x] [x](y)
![i](j) [a]: # ## #x 1. 2) 10. - + -- --- === > | ~~x~~ ~ ~~~ ``` \ \* \\ https://example.org/a_b_c
www.example.org a@b.example 🎉 👩‍👩‍👧 مرحبا [^1] [^1]: [ ] ! !! ^ $x$ {x} : :: <!-- --> <https://x.y> ' "
“q” ... é 1 2 . , ( ) /
""".split(),
    "",
    "\xa0",
    "\u200b",
]


def _joined(parts: list[tuple[str, str]]) -> str:
    return "".join(sign + space for sign, space in parts)


_pairs = st.tuples(st.sampled_from(_SIGNS), st.sampled_from(["", " ", " ", "\n"]))
# Plain texts, which may look like Markdown or HTML.
plain_texts = st.lists(_pairs, min_size=1, max_size=5).map(_joined)
_texts = plain_texts.map(lambda text: escape(text, quote=False))
_codes = (
    st.lists(st.sampled_from([*_SIGNS, "\n", "    x", "\t"]), min_size=1, max_size=6)
    .map(" ".join)
    .map(lambda text: escape(text, quote=False))
)


def _in(*names: str) -> SearchStrategy[str]:
    return st.sampled_from(names)


def _tagged(names: SearchStrategy[str], inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds("<{0}>{1}</{0}>".format, names, inner)


def _several(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.lists(inner, min_size=1, max_size=3).map("".join)


_inline = st.recursive(
    st.one_of(
        _texts,
        _texts.map('<a href="https://example.org/p?a=1&amp;b=(2)_x">{}</a>'.format),
        st.just("<br>"),
        st.just('<img src="https://example.org/i_1.png" alt="an [alt] *x*">'),
    ),
    lambda inner: (
        _several(inner) | _tagged(_in(*"em strong code b i del sub sup span small".split()), inner)
    ),
    max_leaves=5,
)
_rows = _tagged(
    _in("tr"), st.lists(_tagged(_in("td"), _inline), min_size=2, max_size=2).map("".join)
)
_blocks = st.recursive(
    st.one_of(
        _inline,
        _tagged(_in("p", "h2"), _inline),
        _codes.map("<pre><code>{}</code></pre>".format),
        _tagged(_in("table"), st.lists(_rows, min_size=2, max_size=3).map("".join)),
        st.just("<hr>"),
    ),
    lambda inner: (
        _tagged(_in("ul", "ol"), _several(_tagged(_in("li"), inner)))
        | _tagged(_in("blockquote", "div"), _several(inner))
    ),
    max_leaves=4,
)
html_texts = _several(_blocks)

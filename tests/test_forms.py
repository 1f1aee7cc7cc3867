"""Texts that are set into a page stand there as if its template had been given them."""

from collections.abc import Iterator

import pytest
from conftest import CATALOGUES
from hypothesis import given
from hypothesis import strategies as st
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from markupsafe import Markup
from payloads import PAYLOADS

from feeds import load_catalogue
from feeds.formats import FORMATS
from feeds.pages import environment_of
from feeds.pages.forms import Form
from feeds.pages.wording import Wording

SITE = load_catalogue(CATALOGUES / "every-field.yaml").site
ENVIRONMENT = environment_of(SITE, FORMATS, Wording(SITE.language, SITE.timezone))
# What templates have of each other.
INNER = {"described", "lazy", "listed", "named"}
# What might be taken for something else when it is set in, and what is HTML already.
ODD = ["%", "%b %(title)s %%", "{{ title }}", "title", "<b> & \"b\" 'c'", *PAYLOADS]
HTML = [b"<li>%b</li>", "<p>é – ü &amp; %s</p>".encode()]
TEXT = st.just("") | st.sampled_from([*ODD, *HTML])


def names(template: str) -> Iterator[str]:
    """Give the texts that a template takes, with those that it is made of."""
    assert ENVIRONMENT.loader
    parsed = ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, template)[0])
    yield from find_undeclared_variables(parsed) - ENVIRONMENT.globals.keys()
    for other in find_referenced_templates(parsed):
        yield from names(str(other))


def wanted(form: str) -> list[str]:
    """Give the texts that a template is to be given."""
    return sorted({*names(f"{form}.html")} - INNER)


FORMS = {
    form: (Form(ENVIRONMENT.get_template(f"{form}.html")), wanted(form))
    for form in "archive entry feed item month neighbour tag turn way".split()
}


@pytest.mark.parametrize("name", FORMS)
@given(data=st.data())
def test_a_form_is_its_template(name: str, data: st.DataObject) -> None:
    """Whatever the texts are, and whichever are there, a form gives what its template gives."""
    form, texts = FORMS[name]
    chosen = dict(zip(texts, data.draw(st.tuples(*[TEXT] * len(texts))), strict=True))
    as_markup = {
        text: Markup(value.decode()) if isinstance(value, bytes) else value  # noqa: S704  # ours
        for text, value in chosen.items()
    }
    expected = ENVIRONMENT.get_template(f"{name}.html").render(as_markup)
    assert form.filled(**chosen).decode() == expected

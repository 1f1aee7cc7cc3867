"""Licences: written as editors know them, and linked to where they are."""

import json

import pytest
from conftest import AS_OF
from lxml import etree, html
from reading import messages, read

from feeds import Release, build_release

ADDRESS = "https://creativecommons.org/licenses"
NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "cc": "http://backend.userland.com/creativeCommonsRssModule",
}


def built(site: str, entry: str) -> Release:
    text = (
        f"site: {{title: T, url: https://e.org/, id: 'tag:e.org,2021:t'{site}}}\nentries:\n"
        f"- {{id: a, title: A, date: 2026-01-02, summary: S{entry}}}\n"
        "- {id: b, title: B, date: 2026-01-01, summary: S}\n"
    )
    return build_release(read(text), as_of=AS_OF)


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("CC BY 4.0", f"{ADDRESS}/by/4.0/", "CC BY 4.0"),
        ("cc-by-nc-sa-3.0-igo", f"{ADDRESS}/by-nc-sa/3.0/igo/", "CC BY-NC-SA 3.0 IGO"),
        ("CC BY-SA 2.5 CH", f"{ADDRESS}/by-sa/2.5/ch/", "CC BY-SA 2.5 CH"),
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        (f"{ADDRESS}/by/4.0/deed.fr", f"{ADDRESS}/by/4.0/deed.fr", "CC BY 4.0"),
        ("https://www.example.org/terms", "https://www.example.org/terms", "example.org"),
    ],
)
def test_a_licence_is_an_address_with_a_name(written: str, address: str, name: str) -> None:
    """A licence is written as a name or an address; every page ends with a link to it."""
    release = built(f", license: '{written}'", "")
    for path in ("index.html", "entries/a/index.html", "404.html"):
        page = html.fromstring(release[path].body.decode())
        [link] = page.iterfind(".//footer//a[@rel='license']")
        assert (link.get("href"), link.text) == (address, name)


@pytest.mark.parametrize(
    "written",
    ["CC BY", "CC BY 4.0 IGO", "CC BY 4.0 CH", "CC BY 1.5", "MIT", "© We", "CC BY-ND-NC 4.0"],
)
def test_a_licence_that_does_not_exist_is_refused(written: str) -> None:
    """A name that no licence of Creative Commons has, and any other text, is a Problem."""
    text = (
        "site: {title: T, url: https://e.org/, id: 'tag:e.org,2021:t'}\nentries:\n"
        f"- {{id: a, title: A, date: 2026-01-02, summary: S, license: {written}}}\n"
    )
    [message] = messages(text)
    assert "must be the address of a licence" in message


def test_an_entry_has_its_own_licence_or_that_of_the_site() -> None:
    """Each format, the structured data and the foot of the page name the licence that applies."""
    release = built(", license: CC BY 4.0", ", license: CC0")
    of_site, own = f"{ADDRESS}/by/4.0/", "https://creativecommons.org/publicdomain/zero/1.0/"
    atom = etree.fromstring(release["atom.xml"].body)
    found = [
        [link.get("href") for link in one.findall("atom:link[@rel='license']", NS)]
        for one in (atom, *atom.findall("atom:entry", NS))
    ]
    assert found == [[of_site], [own], [of_site]]
    channel = etree.fromstring(release["rss.xml"].body)[0]
    rss = [one.findtext("cc:license", None, NS) for one in (channel, *channel.findall("item"))]
    assert rss == [of_site, own, of_site]
    for path, expected in {
        "index": of_site,
        "entries/a/index": own,
        "entries/b/index": of_site,
    }.items():
        page = html.fromstring(release[f"{path}.html"].body.decode())
        data = json.loads(page.findtext(".//script[@type='application/ld+json']", ""))
        [link] = page.iterfind(".//a[@rel='license']")
        assert data["license"] == link.get("href") == expected


def test_without_a_licence_none_is_named() -> None:
    """A site without a licence has no trace of one; an entry can still have one."""
    release = built("", ", license: CC0")
    assert b"license" not in release["index.html"].body
    assert b"license" not in release["entries/b/index.html"].body
    assert release["atom.xml"].body.count(b"license") == 1
    assert release["rss.xml"].body.count(b"creativeCommons:license") == 2

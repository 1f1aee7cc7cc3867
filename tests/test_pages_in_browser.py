"""Pages in real Chromium under a strict policy, with and without scripts."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, screenshot, style
from conftest import AS_OF, CATALOGUES, ROOT, SHIPPED, program
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Route

from feeds import build_release, load_catalogue
from feeds.urls import SUBSCRIBE

NU = ROOT / "tests" / "nu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
EVERY_FIELD = CATALOGUES / "every-field.yaml"
ARABIC = CATALOGUES / "arabic.yaml"
AGENCY = CATALOGUES / "agency.yaml"
HEAD = """
site: {{title: {title}, url: "https://news.example.org/", id: "tag:news.example.org,2021:t", rights: {title}, footer: {title}}}
entries:
"""
# A picture of one point.
_PICTURE = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
# In the parts of WCAG that are AA, and what axe holds to be good beside them.
_AXE: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
}
_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def busy(folder: Path) -> Path:
    """Write a catalogue with an archive by month and by part."""
    items = [
        f"- id: n{n:03}\n  title: Title {n}\n  date: 2022-{5 - n // 50:02}-{28 - n % 25:02}\n"
        "  summary: S.\n  topics: [A topic]\n  countries: [Jordan]\n"
        for n in range(100)
    ]
    file = folder / "busy.yaml"
    file.write_text(HEAD.format(title="Busy") + "".join(items))
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def busy_site(served: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    return served(busy(tmp_path_factory.mktemp("busy")))


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts."""
    found: bool = request.param
    return found


def elsewhere(route: Route) -> None:
    """Answer a request for a picture or an icon, whose addresses the editor chose."""
    route.fulfill(body=_PICTURE, content_type="image/gif")


def listen(page: Page, noise: list[str]) -> None:
    """Record scripts that run, errors, and requests to other hosts."""

    def request(asked: Request) -> None:
        here = asked.url.startswith("http://127.0.0.1:")
        if not here and asked.resource_type not in {"image", "other"}:
            noise.append(f"asks for {asked.url}")

    def console(message: ConsoleMessage) -> None:
        # The icon that every browser asks for, and the picture of some payloads.
        if not message.location["url"].endswith(("/favicon.ico", "/x")):
            noise.append(f"{message.location['url']}: {message.text}")

    def dialog(shown: Dialog) -> None:
        noise.append(f"a dialog says {shown.message}")
        shown.dismiss()

    page.on("request", request)
    page.on("console", console)
    page.on("dialog", dialog)
    page.on("pageerror", lambda error: noise.append(str(error)))


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages under the server's policy; at the end no event may have been recorded."""
    noise: list[str] = []
    with ExitStack() as stack:

        def open_page(**options: Any) -> Page:
            settings = {"viewport": {"width": 1200, "height": 900}} | options
            page = stack.enter_context(browser.new_context(**settings)).new_page()
            page.route(re.compile(r"^https?://(?!127\.0\.0\.1:)|/media/"), elsewhere)
            listen(page, noise)
            return page

        yield open_page
    assert noise == []


def test_a_person_finds_an_entry_its_topic_and_the_feed(
    served: Callable[[Path], str], open_page: Callable[..., Page], *, script: bool
) -> None:
    """A person can go from the news to an entry, its topic and the address of the topic's feed, with or without scripts."""
    page = open_page(java_script_enabled=script)
    url = served(SHIPPED)
    page.goto(url)
    assert page.get_by_role("heading", level=2).first.text_content() == "May 2022"
    page.get_by_role("link", name="Jordan and ILO sign agreement").click()
    assert page.url == url + "entries/jordan-ilo-agreement/"
    page.get_by_role("link", name="Formalization").click()
    assert page.get_by_role("heading", level=1).text_content() == "Formalization"
    address = url + "topics/formalization/atom.xml"
    assert page.get_by_text(address, exact=True).is_visible()
    href = page.get_by_role("link", name="Atom", exact=True).get_attribute("href")
    assert urljoin(page.url, href) == address


def test_a_person_goes_from_entry_to_entry(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """Each entry links to the older and the newer entry; the first and the last have one of them."""
    page = open_page()
    page.goto(served(SHIPPED))
    entries = load_catalogue(SHIPPED).entries
    titles = [entry.title for entry in sorted(entries, key=lambda entry: entry.published)[::-1]]
    page.get_by_role("link", name=titles[0]).click()
    for title in titles[1:4]:
        page.locator(".older a").click()
        assert page.get_by_role("heading", level=1).text_content() == title
    page.locator(".newer a").click()
    assert page.get_by_role("heading", level=1).text_content() == titles[2]


@pytest.mark.heavy
def test_a_person_goes_back_in_time(busy_site: str, open_page: Callable[..., Page]) -> None:
    """Entries that are no longer on the news page are found by year and month."""
    page = open_page()
    page.goto(busy_site)
    assert page.get_by_role("article").count() == 40
    assert page.get_by_role("link", name="Title 99").count() == 0
    for name in ("2022", "April 2022", "April 2022 · 1"):
        page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="Title 99", exact=True).click()
    assert page.get_by_role("heading", level=1).text_content() == "Title 99"


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_follows_the_readers_colours(
    served: Callable[[Path], str], open_page: Callable[..., Page], scheme: str
) -> None:
    """A page is light on dark if the browser prefers that, and dark on light otherwise."""
    page = open_page(color_scheme=scheme)
    for path in ("", "entries/indonesia-maternity-rights/", "countries/id/"):
        page.goto(served(SHIPPED) + path)
        ink, ground = (
            sum(map(int, style(page, "html", name)[4:-1].split(",")))
            for name in ("color", "background-color")
        )
        assert (ink > ground) is (scheme == "dark")
        assert abs(ink - ground) > 3 * 180
        screenshot(page, f"page-{path.partition('/')[0] or 'news'}-{scheme}")


WIDE = "document.documentElement.scrollWidth"


TOPIC = "topics/unemployment-protection/"


def test_no_page_is_wider_than_its_window(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """No page scrolls horizontally at any width (WCAG 2.2, 1.4.10)."""
    urls = [
        *(served(EVERY_FIELD) + "entries/everything/", served(ARABIC)),
        served(AGENCY) + "entries/report/",
    ]
    check_widths(open_page(), urls)


@pytest.mark.heavy
def test_no_kind_of_page_is_wider_than_its_window(
    served: Callable[[Path], str], busy_site: str, open_page: Callable[..., Page]
) -> None:
    """The same for each kind of page."""
    urls = [
        *(served(SHIPPED) + path for path in ("", TOPIC, TOPIC + "countries/id/")),
        *(served(EVERY_FIELD) + path for path in ("", "entries/everything/")),
        *(served(ARABIC) + path for path in ("", "entries/second/")),
        *(served(AGENCY) + path for path in ("", "entries/arabic/", "entries/entretien/")),
        *(busy_site + path for path in ("archive/2022/", "archive/2022/05/")),
    ]
    check_widths(open_page(), urls)


def check_widths(page: Page, urls: list[str]) -> None:
    for number, url in enumerate(urls):
        page.goto(url)
        for width in (320, 700, 1000, 1600):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(WIDE) == width, url
            if width in {320, 1000}:
                screenshot(page, f"page-{number}-{width}")


LONG = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"
ADDRESS = f"https://www.{LONG[:60]}.example.org/{LONG}/{LONG}?{LONG}={LONG}"


def long_words(folder: Path) -> Path:
    """Write a catalogue with a long word or an address in every text that a page shows."""
    item = f"""- id: {{id}}
  title: {{title}}
  date: 2022-05-24 10:00
  updated: 2022-05-25 11:00
  summary: {ADDRESS}
  author: {LONG}
  topics: [{LONG}, {LONG[::-1]}]
  documents: [{ADDRESS}.pdf, {{{{url: https://www.example.org/a.pdf, title: {LONG}}}}}]
  countries: [JO, LB]
  link: {ADDRESS}
  photo: {{{{url: "https://www.example.org/a.jpg", alt: {LONG}, credit: {LONG}}}}}
"""
    body = f"""  body: |
    # {LONG}

    {LONG} *{LONG}* <{ADDRESS}> `{LONG}` [{LONG}]({ADDRESS})

    - {LONG}
      - {LONG}

    > {LONG}

    | {LONG} | {LONG} |
    |---|---|
    | {LONG} | {LONG} |

    ```
    {LONG} {LONG} {LONG}
    ```
"""
    items = item.format(id="a", title=ADDRESS) + item.format(id="b", title=LONG) + body
    items += item.format(id="c", title="أخبار" * 30)
    head = HEAD.format(title=LONG).replace("rights", f"description: {ADDRESS}, rights")
    file = folder / "long.yaml"
    file.write_text(head.replace("entries", f"countries: {{JO: {LONG}}}\nentries") + items)
    return file


@pytest.mark.heavy
def test_long_words_wrap(
    served: Callable[[Path], str], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    """A long word or an address in any text widens no page, at any width."""
    page = open_page()
    url = served(long_words(tmp_path))
    topic = f"topics/{LONG.lower()}/"
    for number, path in enumerate(
        ("", "entries/a/", "entries/b/", "entries/c/", topic, f"{topic}countries/jo/", SUBSCRIBE)
    ):
        page.goto(url + path)
        screenshot(page, f"long-{number}")
        for width in (1280, 1000, 730, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(WIDE) == width, path
        # Words that are not long are not cut.
        head = page.locator(".directory thead th").all()
        assert all(cell.evaluate("th => th.scrollWidth <= th.clientWidth + 1") for cell in head)


@pytest.mark.heavy
def test_arabic_is_a_mirror_of_english(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """An Arabic page mirrors an English one."""
    page = open_page()
    sides = []
    for catalogue in (SHIPPED, ARABIC):
        page.goto(served(catalogue))
        boxes = [
            page.locator(selector).first.bounding_box()
            for selector in (".masthead .brand", ".masthead nav", ".news", ".aside")
        ]
        sides.append([box["x"] + box["width"] / 2 < 600 for box in boxes if box])
    assert sides == [[True, False, True, False], [False, True, False, True]]
    assert style(page, "html", "direction") == "rtl"
    screenshot(page, "page-news-arabic")


TITLES = "h3 a", ".entry h1", ".older a"
# Where the first letter and the last sign of what is found are, from the left.
_ENDS = """found => {
  const text = [...found.childNodes].filter(node => node.data?.trim()).at(-1)
  const at = (from, to) => {
    const range = document.createRange()
    range.setStart(text, from)
    range.setEnd(text, to)
    return range.getBoundingClientRect().x
  }
  const [first, end] = [text.data.search(/\\S/), text.data.trimEnd().length]
  return [at(first, first + 1), at(end - 1, end)]
}"""


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_text_runs_in_its_own_direction(
    open_page: Callable[..., Page], served: Callable[[Path], str], tmp_path: Path, language: str
) -> None:
    """The full stop of an Arabic or English title is at its end, on a page of either language."""
    titles = {"one": "توقع اتفاقية.", "two": "An agreement.", "three": "توقع اتفاقية."}
    items = [
        f"- {{id: {name}, title: {title}, date: 2022-05-2{9 - number}, summary: S.}}\n"
        for number, (name, title) in enumerate(titles.items())
    ]
    file = tmp_path / "entries.yaml"
    file.write_text(HEAD.format(title="T").replace("rights", f"language: {language}, rights"))
    file.write_text(file.read_text() + "".join(items))
    url = served(file)
    page = open_page()
    ends = []
    for path in ("", "entries/one/", "entries/two/"):
        page.goto(url + path)
        ends += [found.evaluate(_ENDS) for found in page.locator(", ".join(TITLES)).all()]
    arabic = [last < first for first, last in ends]
    assert arabic == [True, False, True, True, False, False, True]


# At which side of what is around it the text of what is found is.
_SIDE = """found => {
  const texts = document.createTreeWalker(found, NodeFilter.SHOW_TEXT)
  const boxes = []
  while (texts.nextNode()) {
    const range = document.createRange()
    range.selectNodeContents(texts.currentNode)
    boxes.push(...[...range.getClientRects()].filter(box => box.width))
  }
  const around = found.closest('article, section, main, footer').getBoundingClientRect()
  const left = Math.min(...boxes.map(box => box.left)) - around.left
  const right = around.right - Math.max(...boxes.map(box => box.right))
  return left < right ? 'left' : 'right'
}"""


def sides(page: Page, selector: str) -> set[str]:
    """Return at which sides of their containers the texts are."""
    found = page.locator(selector).all()
    assert found, selector
    return {element.evaluate(_SIDE) for element in found}


def mixed(folder: Path, language: str) -> Path:
    """Write a catalogue with entries in both directions, and an archive."""
    arabic, english = "توقع اتفاقية.", "They sign."
    texts = {
        "arabic": (arabic, f"{arabic} {arabic}"),
        "english": (english, f"{english} {english}"),
        "acronym": (f"UNICEF {arabic}", arabic),
        "number": ("2025", arabic if language == "ar" else english),
        "quote": (arabic, f"{arabic} {arabic} {english}"),
    }
    items = [
        f"- {{id: {name}, title: '{title}', date: 2022-05-24 10:00, summary: '{summary}', topics: [T],"
        f" countries: [JO], link: 'https://www.example.org/', author: '2025'}}\n"
        for name, (title, summary) in texts.items()
    ]
    items += [
        f"- {{id: n{n}, title: 'N', date: 2021-05-24, summary: S., topics: [T]}}\n"
        for n in range(40)
    ]
    file = folder / "mixed.yaml"
    head = HEAD.format(title="Mixed").replace("rights", f"language: {language}, rights")
    file.write_text(head + "".join(items))
    return file


@pytest.mark.heavy
@pytest.mark.parametrize(("language", "start"), [("en", "left"), ("ar", "right")])
def test_an_entry_is_aligned_as_one(
    served: Callable[[Path], str],
    open_page: Callable[..., Page],
    tmp_path: Path,
    language: str,
    start: str,
) -> None:
    """Title, date, lead and labels of an entry are aligned with its text; everything else with the page."""
    expected = {
        "arabic": "right",
        "english": "left",
        "acronym": "right",
        "number": start,
        "quote": "right",
    }
    page = open_page(viewport={"width": 600, "height": 900})
    url = served(mixed(tmp_path, language))
    page.goto(url)
    screenshot(page, f"mixed-{language}")
    for name, side in expected.items():
        entry = f"article:has([href$='entries/{name}/'])"
        assert sides(page, f"{entry} > :is(h3, p:not(.date))") == {side}, name
        assert sides(page, f"{entry} .date time") == {side}, name
        assert sides(page, f"{entry} .labels li:first-child") == {side}, name
    for name, side in expected.items():
        page.goto(f"{url}entries/{name}/")
        for part in ("h1", ".lead", ".original", ".date time", ".labels li:first-child"):
            assert sides(page, f".entry {part}") == {side}, (name, part)
        assert sides(page, "footer p") == {start}
        first, last = page.locator("h1").evaluate(_ENDS)
        assert (last < first) is (name in {"arabic", "acronym", "quote"})
    for path in ("archive/2021/", "archive/2022/", "topics/t/", ""):
        page.goto(url + path)
        assert sides(page, "main h2, footer p") == {start}
        if path:
            assert sides(page, "main h1") == {start}


@pytest.mark.heavy
def test_a_page_has_its_style_under_another_name(
    browser: Browser, served: Callable[[Path], str]
) -> None:
    """A page has its style under another name of its server."""
    url = served(SHIPPED).replace("127.0.0.1", "localhost")
    with closing(browser.new_page()) as page:
        for path in ("", "subscribe/", "404.html"):
            page.goto(url + path)
            assert style(page, "body", "max-width") == "1152px", path


def test_the_first_key_leads_past_the_menu(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """The first Tab key reaches a link to the content, and the focus is visible."""
    page = open_page()
    page.goto(served(SHIPPED) + "topics/financing/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    box = skip.bounding_box()
    assert box
    assert box["y"] >= 0
    assert style(page, ".skip", "outline-style") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.heavy
def test_one_line_is_above_the_news(
    busy_site: str, served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """Without a description, no empty space between two lines is above the news."""
    page = open_page()
    for url, width in ((busy_site, "0px"), (served(SHIPPED), "1px")):
        page.goto(url)
        assert style(page, ".news > section", "border-top-width") == width


def test_a_printed_page_is_the_news_alone(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """A printed page omits menus and addresses of feeds, and is black on white."""
    page = open_page(color_scheme="dark")
    page.goto(served(SHIPPED) + "topics/financing/")
    page.emulate_media(media="print", color_scheme="dark")
    assert style(page, "html", "color") == "rgb(0, 0, 0)"
    assert [style(page, part, "display") for part in (".aside", ".masthead nav")] == ["none"] * 2
    assert page.get_by_role("article").first.is_visible()
    screenshot(page, "page-print")


def test_axe_finds_no_violation(
    served: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    """On an entry's page and on lists, axe-core finds nothing against WCAG 2.2 AA, nor against good practice."""
    urls = [
        *(served(EVERY_FIELD) + "entries/everything/", served(ARABIC)),
        served(AGENCY) + "entries/arabic/",
    ]
    check_axe(open_page(), urls)


@pytest.mark.heavy
def test_axe_finds_no_violation_on_any_kind_of_page(
    served: Callable[[Path], str], busy_site: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    """The same for each kind of page."""
    urls = [
        *(served(SHIPPED) + path for path in ("", TOPIC, TOPIC + "countries/id/")),
        *(served(EVERY_FIELD) + path for path in ("topics/empty/", "entries/everything/")),
        *(served(ARABIC) + path for path in ("", "entries/second/")),
        *(served(AGENCY) + path for path in ("", "entries/report/", "entries/arabic/")),
        *(busy_site + path for path in ("", "archive/2022/", "archive/2022/05/1/")),
        *(served(mixed(tmp_path, "en")) + path for path in ("", "entries/arabic/", SUBSCRIBE)),
    ]
    check_axe(open_page(), urls)


def check_axe(page: Page, urls: list[str]) -> None:
    for url in urls:
        page.goto(url)
        for options in (_AXE, _CONTRAST):
            page.emulate_media(color_scheme="light" if options is _AXE else "dark")
            found = Axe().run(page, options=options)
            assert found.response["passes"]
            assert found.violations_count == 0, found.generate_report()


def test_axe_would_find_one(open_page: Callable[..., Page], served: Callable[[Path], str]) -> None:
    """axe-core finds violations in a page that is made inaccessible."""
    page = open_page()
    page.goto(served(SHIPPED))
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert Axe().run(page, options=_AXE).violations_count == 1


@pytest.mark.heavy
def test_the_nu_checker_finds_nothing(tmp_path: Path) -> None:
    """The Nu HTML checker accepts every page and style sheet, and rejects a broken one."""
    java = program("java")
    if not NU.exists():
        program("vnu.jar (npm ci --prefix tests/nu)")
    written = busy(tmp_path), mixed(tmp_path, "en")
    for catalogue in (SHIPPED, *CATALOGUES.glob("*.yaml"), *written):
        release = build_release(load_catalogue(catalogue), as_of=AS_OF)
        for path, document in release.items():
            if path.endswith((".html", "style.css", "choice.css")):
                file = tmp_path / "out" / catalogue.stem / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(document.body)
    wrong = [tmp_path / "out" / f"wrong.{kind}" for kind in ("html", "css")]
    wrong[0].write_text("<!doctype html><html lang=en><title>T</title><p><ul></ul></p>")
    wrong[1].write_text("a { colour: red }")
    files = [str(path) for path in (tmp_path / "out").rglob("*") if path.is_file()]
    command = [java, "-jar", str(NU), "--also-check-css", "--format", "json", "--stdout", *files]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    reported = {
        unquote(message["url"]).removeprefix("file:")
        for message in json.loads(done.stdout)["messages"]
        # Tables in Markdown align their columns so.
        if "“align” attribute" not in message["message"]
    }
    assert len(files) > 100
    assert reported == {str(file) for file in wrong}

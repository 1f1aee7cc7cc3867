"""A real Chromium, and the visible texts and styles of a document in it."""

import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import program
from playwright.sync_api import Browser, Page, sync_playwright

_OPTIONS = [
    *("--no-sandbox", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
_VISIBLE = """() => {
  const found = [];
  const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const text = texts.currentNode.data.trim().replace(/\\s+/g, ' ');
    if (text && range.getClientRects().length) found.push(text);
  }
  return found;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window; at the end it is stopped."""
    command = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command, args=_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


def visible_texts(page: Page) -> list[str]:
    """Return each text of a document that is laid out, in the document's order."""
    found: list[str] = page.evaluate(_VISIBLE)
    return found


def style(page: Page, selector: str, name: str, pseudo: str = "") -> str:
    """Return the computed value of a property of the first element that a selector finds."""
    found: str = page.evaluate(
        "([selector, name, pseudo]) => getComputedStyle("
        "document.querySelector(selector), pseudo || null).getPropertyValue(name)",
        [selector, name, pseudo],
    )
    return found


def screenshot(page: Page, name: str) -> None:
    """Save a picture of the whole page with `pytest --screenshots`."""
    folder = os.environ.get("SCREENSHOTS")
    if folder is None:
        return
    # Playwright's own method never returns if a document is not HTML.
    session = page.context.new_cdp_session(page)
    # Time matters here, and bytes do not.
    options = {"captureBeyondViewport": True, "optimizeForSpeed": True}
    shot = session.send("Page.captureScreenshot", options)
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / f"{name}.png").write_bytes(b64decode(shot["data"]))

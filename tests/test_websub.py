"""The hub is told of the feeds that have changed, when they can be read, and nobody waits for it."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from conftest import SHIPPED, Server, free_port, running
from hub import listening

ADDED = """
- id: new
  title: Kenya has news
  date: 2022-01-02
  summary: Summary
  topics: [covid-19-response]
  countries: [Kenya]
"""
CHANGED = sorted(
    folder + name
    for folder in ("", "topics/covid-19-response/", "countries/ke/")
    for name in ("atom.xml", "rss.xml", "feed.json")
) + [
    f"topics/covid-19-response/countries/ke/{name}" for name in ("atom.xml", "feed.json", "rss.xml")
]


def text(hub: str, more: str = "") -> str:
    return SHIPPED.read_text().replace("\n  language:", f"\n  hub: {hub}\n  language:", 1) + more


def write(file: Path, words: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(words)
    new.replace(file)


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def settle(server: Server, count: int) -> None:
    wait_until(lambda: server.log().count("event=hub-told") == count)


def test_a_reload_tells_the_hub_of_what_changed_alone(tmp_path: Path) -> None:
    """The hub hears of each changed feed once, and reads it as it is now."""
    file = tmp_path / "entries.yaml"
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert len(hub.told()) == len({*hub.told()})
            hub.pings.clear()
            write(file, text(hub.url, ADDED))
            settle(server, 2)
            assert hub.told() == sorted(server.url + path for path in CHANGED)
            assert all(b"Kenya has news" in ping.body for ping in hub.pings)


def test_under_gunicorn_the_hub_hears_of_a_change_once(tmp_path: Path) -> None:
    """Four workers publish the same release, and one of them tells."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with listening() as hub:
        write(file, text(hub.url))
        with running("gunicorn", file, tmp_path / "server", url=url, port=port) as server:
            settle(server, 1)
            hub.pings.clear()
            write(file, text(hub.url, ADDED))
            settle(server, 2)
            time.sleep(0.5)
            assert hub.told() == sorted(url + path for path in CHANGED)


def test_a_dead_hub_keeps_nobody_waiting_and_is_told_later(tmp_path: Path) -> None:
    """Edits are served as soon as without a hub; it is logged once, and tried until it is back."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    write(file, text(f"http://127.0.0.1:{port}/hub"))
    with running("feeds serve", file, tmp_path / "server") as server:
        wait_until(lambda: "event=hub-not-told" in server.log())
        for number in range(3):
            begun = time.monotonic()
            words = f"{ADDED.replace('has news', str(number))}"
            write(file, text(f"http://127.0.0.1:{port}/hub", words))
            wait_until(lambda words=f"Kenya {number}": words.encode() in get(server, "atom.xml"))  # type: ignore[misc]
            assert time.monotonic() - begun < 2
        time.sleep(2)
        assert server.log().count("event=hub-not-told") <= 4
        with listening(port) as hub:
            settle(server, 1)
            assert server.url + "countries/ke/atom.xml" in hub.told()
            assert all(b"Kenya 2" in ping.body for ping in hub.pings if "/ke/" in ping.address)


def test_a_hub_that_fails_is_asked_again(tmp_path: Path) -> None:
    """After 500s come 202s; what was taken is not told again, and attempts come later and later."""
    file = tmp_path / "entries.yaml"
    with listening(answers=[500] * 9) as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert server.log().count("event=hub-not-told") == 1
            assert len(hub.told()) == len({*hub.told()}) == len(hub.pings) - 9


def test_what_was_told_is_known_after_a_restart(tmp_path: Path) -> None:
    """A server that starts again tells of what changed meanwhile, and of nothing else."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server", port=port) as server:
            settle(server, 1)
        hub.pings.clear()
        with running("feeds serve", file, tmp_path / "server", port=port):
            time.sleep(1)
            assert not hub.pings
        write(file, text(hub.url, ADDED))
        with running("feeds serve", file, tmp_path / "server", port=port) as server:
            settle(server, 1)
            assert hub.told() == sorted(server.url + path for path in CHANGED)


def get(server: Server, path: str) -> bytes:
    with urlopen(server.url + path, timeout=5) as answer:
        body: bytes = answer.read()
        return body

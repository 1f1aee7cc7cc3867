"""Feed readers with a subscription each, which know what they have shown already."""

import mailbox
import sqlite3
from collections.abc import Callable
from email.header import decode_header, make_header
from pathlib import Path

from conftest import program, run
from reader import make_reader

# Subscribes to an address, with files in a folder; returns a function that reads the
# feed again, and returns the titles of the entries that are new to a person.
Subscribe = Callable[[Path, str], Callable[[], list[str]]]


def newsboat(folder: Path, url: str) -> Callable[[], list[str]]:
    """Subscribe with newsboat, which marks an article as unread by the id that it gives it."""
    command = program("newsboat")
    urls, config, cache = (folder / name for name in ("urls", "config", "cache.db"))
    urls.write_text(f"{url}\n")
    config.write_text("")
    home = {"HOME": str(folder), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}

    def news() -> list[str]:
        done = run(command, "-u", urls, "-c", cache, "-C", config, "-x", "reload", env=home)
        assert done.returncode == 0, done.stderr
        database = sqlite3.connect(cache)
        with database:
            rows = database.execute("select title from rss_item where unread = 1").fetchall()
            database.execute("update rss_item set unread = 0")
        database.close()
        return sorted(title for (title,) in rows)

    return news


def reader_library(folder: Path, url: str) -> Callable[[], list[str]]:
    """Subscribe with the library reader, which is based on feedparser."""
    database = str(folder / "reader.db")
    with make_reader(database) as reader:
        reader.add_feed(url)

    def news() -> list[str]:
        with make_reader(database) as reader:
            reader.update_feed(url)
            unread = [*reader.get_entries(read=False)]
            for entry in unread:
                reader.mark_entry_as_read(entry)
            return sorted(entry.title or "" for entry in unread)

    return news


def rss2email(folder: Path, url: str) -> Callable[[], list[str]]:
    """Subscribe with rss2email, which puts a mail for each entry into a maildir."""
    command = program("r2e")
    config, data, mails = folder / "r2e.cfg", folder / "r2e.json", folder / "mails"
    config.write_text(
        "[DEFAULT]\nfrom = news@example.org\nto = me@example.org\n"
        f"email-protocol = maildir\nmaildir-path = {mails}\n"
    )
    mails.mkdir()
    home = {"HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def r2e(*words: str) -> None:
        done = run(command, "-c", config, "-d", data, *words, env=home)
        assert done.returncode == 0, done.stderr

    r2e("add", "news", url)

    def news() -> list[str]:
        r2e("run")
        box = mailbox.Maildir(mails / "INBOX")
        titles = [str(make_header(decode_header(mail["Subject"]))) for mail in box]
        box.clear()
        box.close()
        return sorted(titles)

    return news

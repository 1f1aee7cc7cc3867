"""`feeds init` writes a catalogue from its options, or from what is answered at a terminal."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from select import select
from zoneinfo import ZoneInfo

import pytest
from conftest import PATIENCE, ROOT, run_feeds, tree

from feeds import load_catalogue

OPTIONS = ("--title", "Our: news", "--url", "https://news.example.org/")
IGNORED = "/out/\n/.feeds/*\n!/.feeds/history.tsv\n"
CONTROL_C, CONTROL_D = "\x03", "\x04"
# The leader of a session gets the terminal that it opens, and with it the signals of its keys.
AT_TERMINAL = """
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
from feeds.cli import main
main(sys.argv[1:])
"""
TITLE, URL = "Title of the site: ", "Its address, such as https://news.example.org/: "


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with a time zone, and without a language unless it is given."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    return kept | {"TZ": "Asia/Jakarta", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | variables


class Terminal:
    """A pseudo-terminal, at which a command runs; `shown` is what is on it."""

    def __init__(self, fd: int, process: subprocess.Popen[bytes]) -> None:
        self._fd = fd
        self._process = process
        self.shown = ""
        self._answered = 0

    def answer(self, prompt: str, text: str) -> None:
        """Wait for a prompt at the end of what is shown, and type a text."""
        while not self.shown[self._answered :].endswith(prompt):
            assert self._read(), f"{prompt!r} is not at the end of {self.shown!r}"
        self._answered = len(self.shown)
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Return the exit code of the command, and read all that it has shown."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def kill(self, number: int) -> None:
        self._process.send_signal(number)

    def _read(self) -> bool:
        ready, _, _ = select([self._fd], [], [], PATIENCE)
        assert ready, f"nothing more after {self.shown!r}"
        # When the last process has closed the terminal, reading it is an error.
        with suppress(OSError):
            new = os.read(self._fd, 10_000)
            self.shown += new.decode().replace("\r\n", "\n")
            return bool(new)
        return False


@contextmanager
def at_terminal(*words: str, cwd: Path, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_TERMINAL, *words],
        cwd=cwd,
        env=environment(**variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def days() -> str:
    return datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()


def test_options_give_a_catalogue_that_is_valid(tmp_path: Path) -> None:
    """A title and an address suffice; the catalogue has a dozen lines, and the check has no note."""
    before = days()
    env = environment(LANG="id_ID.UTF-8")
    done = run_feeds("init", *OPTIONS, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "entries.yaml: written, with a first entry. Next:\n"
        '  feeds check\n  feeds serve\n  feeds new "A title"\n  feeds export out\n'
    )
    written = {name: data.decode() for name, data in tree(tmp_path).items()}
    assert written.pop(".gitignore") == IGNORED
    text = written.pop("entries.yaml")
    assert not written
    day = before if before in text else days()
    assert text == (
        '# To add an entry, run: feeds new "A title"\n'
        "site:\n  title: 'Our: news'\n  url: https://news.example.org/\n"
        f"  id: tag:news.example.org,{day[:4]}:news\n  language: id-ID\n"
        "  timezone: Asia/Jakarta\n  author: 'Our: news'\n\n"
        f"entries:\n- id: our-first-news\n  title: Our first news\n  date: {day}\n"
        "  summary: What happened, in one sentence.\n"
    )
    done = run_feeds("check", "--strict", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (["new", "A title", "--summary", "S."], ["export", "out"]):
        done = run_feeds(*words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    assert "A title" in (tmp_path / "out" / "atom.xml").read_text()


def test_every_option_is_written(tmp_path: Path) -> None:
    """The options are the site's fields, and the id is made of the host and the year."""
    options = ("--language", "pt-br", "--timezone", "America/Sao_Paulo", "--author", "Él & © “N”")
    address = ("--title", "Notícias #1", "--url", "https://bücher.example:8080/notícias/")
    done = run_feeds("init", *address, *options, cwd=tmp_path, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    site = load_catalogue(tmp_path / "entries.yaml").site
    assert (site.title, site.author.name) == ("Notícias #1", "Él & © “N”")
    assert (site.language, site.timezone.key) == ("pt-BR", "America/Sao_Paulo")
    assert site.url == "https://xn--bcher-kva.example:8080/not%C3%ADcias/"
    assert site.id == f"tag:xn--bcher-kva.example,{site.founded.year}:news"


@pytest.mark.parametrize(
    ("variables", "language", "zone"),
    [
        ({"LANG": "de_CH.UTF-8"}, "de-CH", "Asia/Jakarta"),
        ({"LANG": "de_CH", "LC_ALL": "C"}, "en", "Asia/Jakarta"),
        ({"LANG": "ca_ES@valencia", "TZ": ":Europe/Madrid"}, "ca-ES", "Europe/Madrid"),
        ({"TZ": "CET-1CEST"}, "en", None),
        ({"TZ": "/etc/localtime", "LC_MESSAGES": "no such"}, "en", None),
    ],
)
def test_defaults_are_those_of_the_machine(
    variables: dict[str, str], language: str, zone: str | None, tmp_path: Path
) -> None:
    """The language and the time zone are those of the environment if they are valid."""
    done = run_feeds("init", *OPTIONS, cwd=tmp_path, env=environment(**variables))
    assert (done.returncode, done.stderr) == (0, "")
    site = load_catalogue(tmp_path / "entries.yaml").site
    assert site.language == language
    assert zone in {None, site.timezone.key}


@pytest.mark.parametrize(
    ("path", "file", "commands"),
    [
        ("news", "news/entries.yaml", "cd news|feeds check|feeds new|feeds export out"),
        ("a b/c/x.yaml", "a b/c/x.yaml", "cd 'a b/c'|feeds check x.yaml|--catalogue x.yaml"),
        (".", "entries.yaml", "feeds check|feeds export out"),
        ("news.yml", "news.yml", "feeds check news.yml|feeds export out --catalogue news.yml"),
    ],
)
def test_the_catalogue_may_be_elsewhere(
    path: str, file: str, commands: str, tmp_path: Path
) -> None:
    """Folders that are missing are created; the commands to run next fit the place."""
    (tmp_path / "other.yaml").write_text("site: {}\nlist:\n  entries: []\n")
    done = run_feeds("init", path, *OPTIONS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: written")
    assert all(command in done.stdout for command in commands.split("|"))
    assert ("cd " in done.stdout) is ("cd " in commands)
    assert load_catalogue(tmp_path / file).entries
    assert (tmp_path / file).with_name(".gitignore").read_text() == IGNORED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("*.pyc", f"*.pyc\n{IGNORED}"),
        ("*.pyc\n", f"*.pyc\n{IGNORED}"),
        ("", IGNORED),
        (".feeds/\n*.pyc", ".feeds/\n*.pyc"),
    ],
)
def test_a_list_of_ignored_files_is_extended(before: str, after: str, tmp_path: Path) -> None:
    """Lines are added to a `.gitignore`, unless it has one about `.feeds`."""
    (tmp_path / ".gitignore").write_text(before)
    assert run_feeds("init", *OPTIONS, cwd=tmp_path).returncode == 0
    assert (tmp_path / ".gitignore").read_text() == after


@pytest.mark.parametrize(
    ("existing", "text", "words", "said"),
    [
        ("entries.yaml", "", [], "entries.yaml: is there already; nothing is written"),
        ("news.yml", "\nentries: []\n", [], "news.yml: is a catalogue already; nothing is written"),
        (
            "b/s.yaml",
            "entries: []\n",
            ["b"],
            "b/s.yaml: is a catalogue already; nothing is written",
        ),
        ("b/s.yaml", "entries:\n", ["b/x.yaml"], "b/s.yaml: is a catalogue already"),
        ("README", "", ["README"], "README: is not a folder; nothing is written"),
        ("README", "", ["README/a/x.yaml"], "README: is not a folder; nothing is written"),
    ],
)
def test_what_is_there_is_left_as_it_is(
    existing: str, text: str, words: list[str], said: str, tmp_path: Path
) -> None:
    """Where there is a catalogue already, nothing is asked and nothing is written."""
    (tmp_path / existing).parent.mkdir(exist_ok=True)
    (tmp_path / existing).write_text(text)
    for options in (OPTIONS, ()):
        done = run_feeds("init", *words, *options, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"feeds: {said}")
        assert tree(tmp_path) == {existing: text.encode()}


def test_a_link_that_leads_nowhere_is_left_as_it_is(tmp_path: Path) -> None:
    """A symbolic link in the place of the catalogue is not followed."""
    (tmp_path / "entries.yaml").symlink_to("elsewhere.yaml")
    assert run_feeds("init", *OPTIONS, cwd=tmp_path).returncode == 1
    assert not tree(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "without a terminal, --title and --url must be given"),
        ("--title T", "without a terminal, --url must be given"),
        ("--url https://e.org/ --author A", "without a terminal, --title must be given"),
        ("--title= --url https://e.org/", "--title: is empty"),
        ("--title <b>T</b> --url https://e.org/", "--title: HTML such as '<b>' is shown here"),
        ("--title T --url e.org", "--url: is not a web address: it must begin with https://"),
        ("--title T --url https://e.org", "--url: must end in '/'; write https://e.org/"),
        ("--url nowhere", "--url: is not a web address"),
        ("--language xx", "--language: no language has the code 'xx'"),
        ("--timezone Zurich", "--timezone: unknown time zone 'Zurich'"),
        ("--author \x07", "--author: the control character U+0007 cannot be published"),
    ],
)
def test_an_option_that_is_wrong_or_missing_is_named(words: str, said: str, tmp_path: Path) -> None:
    """Without a terminal, a mistake in the options has exit code 2, and nothing is written."""
    done = run_feeds("init", *words.split(" " if words else None), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not [*tmp_path.iterdir()]


def test_questions_are_asked_at_a_terminal(tmp_path: Path) -> None:
    """Each question has its default in brackets, and is asked again with what is wrong."""
    with at_terminal("init", "--author", "N", cwd=tmp_path, LANG="de_CH.UTF-8") as terminal:
        terminal.answer(TITLE, "\n")
        terminal.answer(f"'' is empty\n{TITLE}", "  Nachrichten: alle  \n")
        terminal.answer(URL, "news.example.org\n")
        fault = "must begin with https:// or http://\n"
        terminal.answer(f"{fault}{URL}", "https://news.example.org\n")
        terminal.answer(
            f"must end in '/'; write https://news.example.org/\n{URL}", "https://e.org/\n"
        )
        terminal.answer("Language [de-CH]: ", "\n")
        terminal.answer("Time zone [Asia/Jakarta]: ", "Europe/Zuerich\n")
        fault = "unknown time zone 'Europe/Zuerich'; did you mean Europe/Zurich?\n"
        terminal.answer(f"{fault}Time zone [Asia/Jakarta]: ", "Europe/Zurich\n")
        assert terminal.end() == 0
    assert "entries.yaml: written, with a first entry" in terminal.shown
    assert "publisher" not in terminal.shown
    site = load_catalogue(tmp_path / "entries.yaml").site
    assert (site.title, site.url, site.language) == ("Nachrichten: alle", "https://e.org/", "de-CH")
    assert (site.timezone.key, site.author.name) == ("Europe/Zurich", "N")
    assert run_feeds("check", "--strict", cwd=tmp_path).returncode == 0


def test_with_the_required_options_nothing_is_asked(tmp_path: Path) -> None:
    """A command that suffices without a terminal does the same at one."""
    with at_terminal("init", *OPTIONS, cwd=tmp_path) as terminal:
        assert terminal.end() == 0
    assert terminal.shown.startswith("entries.yaml: written")


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (CONTROL_C, 130, "^C"),
        (CONTROL_D, 1, "feeds: there is no answer; nothing is written\n"),
        ("e.org\ne.org\ne.org\n", 1, "feeds: there is no valid answer; nothing is written\n"),
        (b"\xff\n\xff\n\xff\n".decode("latin-1"), 1, "there is no valid answer"),
    ],
    ids=["interrupt", "end", "wrong", "latin-1"],
)
def test_without_an_answer_nothing_is_written(
    typed: str, code: int, said: str, tmp_path: Path
) -> None:
    """An interrupt, the end of the input, or three wrong answers end the command."""
    with at_terminal("init", "news", cwd=tmp_path) as terminal:
        terminal.answer(TITLE, "T\n")
        terminal.answer(URL, typed)
        assert terminal.end() == code
    assert said in terminal.shown
    assert "Traceback" not in terminal.shown
    assert not [*tmp_path.iterdir()]


def test_a_terminated_command_writes_nothing(tmp_path: Path) -> None:
    """SIGTERM at a question ends the command, and nothing is written."""
    with at_terminal("init", cwd=tmp_path) as terminal:
        terminal.answer(TITLE, "T\n")
        terminal.answer(URL, "")
        terminal.kill(signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM
    assert not [*tmp_path.iterdir()]

"""The commands: their output, on which stream, and their exit codes."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import (
    CATALOGUES,
    EXPORT_FOLDER,
    ROOT,
    SHIPPED,
    free_port,
    run,
    run_feeds,
    shortened,
    tree,
    wait_until,
)
from processes import build_processes

from feeds import __version__
from feeds.cli.publishing import Progress

COMMANDS = ("init", "new", "check", "list", "export", "publish", "serve")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_the_common_options(command: str) -> None:
    """Each command has help, and takes --catalogue and --url."""
    done = run_feeds(command, "--help")
    assert done.returncode == 0
    assert {"--catalogue", "--url", "FEEDS_CATALOGUE", "FEEDS_URL"} <= set(
        done.stdout.replace(";", " ").replace("]", " ").split()
    )


def test_check_counts_what_is_there(tmp_path: Path) -> None:
    """A valid catalogue gives one line on stdout and exit code 0; without history, two lines."""
    done = run_feeds("check", "--state", tmp_path, cwd=ROOT)
    counts = "entries.yaml: 20 entries, 19 topics, 11 countries: no problem\n"
    url = "https://news.example.org/social-protection/"
    assert done.stdout == f"{counts}Addresses not compared: {tmp_path} has no history of {url}\n"
    assert (done.returncode, done.stderr) == (0, "")
    assert run_feeds("export", "--state", tmp_path, tmp_path / "out", cwd=ROOT).returncode == 0
    assert run_feeds("check", "--state", tmp_path, cwd=ROOT).stdout == counts


def test_check_reports_every_problem_at_once() -> None:
    """Problems are printed on stderr, in file order, one line each; the exit code is 1."""
    case = ROOT / "tests" / "cases" / "several-problems.yaml"
    done = run_feeds("check", "--catalogue", case)
    expected = [
        line.removeprefix("# Expect: ").replace("at several-problems.yaml", f"at {case}")
        for line in case.read_text().splitlines()
        if line.startswith("# Expect")
    ]
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        *(f"{case}:{line}" for line in expected),
        f"{len(expected)} problems",
    ]


def test_notes_do_not_fail_a_check() -> None:
    """A note is printed on stderr, and the catalogue is still valid."""
    done = run_feeds("check", "--catalogue", ROOT / "tests" / "cases" / "repeated-time.yaml")
    assert done.returncode == 0
    assert "note: entries[0].date (a): the clocks in Europe/Zurich showed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "--catalogue", "nowhere.yaml"], 1, "nowhere.yaml: No such file or directory"),
        (["check", "--catalogue", "feeds"], 1, "feeds: the folder has no .yaml or .yml file"),
        (["list", "--url", "news.example.org"], 2, "must begin with https:// or http://"),
        (["list", "--url", "https://news.example.org"], 2, "write https://news.example.org/"),
        (["export", "/dev/null/x"], 1, "/dev/null/x"),
        (["export", "x" * 300], 1, "x: File name too long"),
        (["export", "x" * 300, "--dry-run"], 1, "x: File name too long"),
        (["export"], 2, "required: FOLDER"),
        (["proclaim"], 2, "unknown command 'proclaim'"),
        (["serve", "--port", "99999"], 2, "99999"),
        (["serve", "--host", "no.such.host.invalid"], 1, "cannot listen on no.such.host.invalid"),
    ],
)
def test_a_mistake_is_a_message_and_no_traceback(
    arguments: list[str], code: int, said: str
) -> None:
    """A user's mistake is one message on stderr, with exit code 1, or 2 for usage."""
    done = run_feeds(*arguments, cwd=ROOT)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_port_in_use_is_reported() -> None:
    """`feeds serve` on a port in use exits with a message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_feeds("serve", "--port", str(port), cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr == f"feeds: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_list_is_a_table_and_json() -> None:
    """`feeds list` shows each feed once, with its own address under the URL given."""
    table = run_feeds("list", "--url", "https://other.example/", cwd=ROOT).stdout.splitlines()
    feeds = json.loads(run_feeds("list", "--json", cwd=ROOT).stdout)
    assert table[0].split() == ["ADDRESS", "TITLE", "ENTRIES", "LAST", "UPDATED"]
    assert len(table) == len(feeds) + 1
    assert table[1].split()[:3] == ["https://other.example/atom.xml", "Social", "protection"]
    assert feeds[0]["entries"] == 20
    assert feeds[0]["addresses"]["JSON Feed"].endswith("/social-protection/feed.json")
    assert len({feed["id"] for feed in feeds}) == len(feeds)


def test_environment_names_catalogue_and_url(tmp_path: Path) -> None:
    """FEEDS_CATALOGUE and FEEDS_URL replace the defaults of the options."""
    env = {
        "FEEDS_CATALOGUE": str(CATALOGUES / "arabic.yaml"),
        "FEEDS_URL": "https://other.example/",
        "FEEDS_STATE": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = run_feeds("list", cwd=tmp_path, env=env)
    assert done.stdout.count("https://other.example/") == 6
    assert "الأردن" in done.stdout


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.1", "http://127.0.0.1:{port}/"),
        ("::1", "http://[::1]:{port}/"),
        ("0.0.0.0", "every address of this machine, port {port}"),  # noqa: S104  # the point
        pytest.param("::", "every address of this machine, port {port}", marks=pytest.mark.heavy),
    ],
)
def test_a_server_prints_where_it_is(host: str, place: str, tmp_path: Path) -> None:
    """`feeds serve` prints its own address as a URL, unless it listens on all addresses."""
    port = free_port()
    command = [sys.executable, "-m", "feeds", "serve", "--host", host, "--port", str(port)]
    env = os.environ | {"FEEDS_STATE": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            lines = iter(server.stderr.readline, "")
            said = next(line for line in lines if line.startswith("Serving"))
            assert said == f"Serving at {place.format(port=port)}\n"
        finally:
            server.terminate()
    wait_until(lambda: not build_processes(ROOT / "entries.yaml", tmp_path))


def test_python_dash_m_is_the_command() -> None:
    """`feeds` and `python -m feeds` are the same."""
    installed = Path(sys.executable).parent / "feeds"
    assert (
        run(installed, "--version").stdout
        == run_feeds("--version").stdout
        == f"feeds {__version__}\n"
    )


def test_export_without_pages_and_again(tmp_path: Path) -> None:
    """--no-pages writes only the feeds; a second export builds and writes nothing."""
    options = ("export", tmp_path / "out", "--no-pages", "--profile", "--state", tmp_path / "state")
    first = run_feeds(*options, cwd=ROOT)
    kinds = {path.rpartition("/")[2] for path in tree(tmp_path / "out")}
    assert kinds == {"atom.xml", "rss.xml", "feed.json", "feed.css"}
    stages = [line.split()[0] for line in first.stderr.splitlines()]
    assert {"compare", "read", "plan", "render", "date", "write", "all"} <= set(stages)
    again = run_feeds(*options, cwd=ROOT)
    assert [line.split()[0] for line in again.stderr.splitlines()] == ["compare", "else", "all"]
    assert again.stdout.startswith("written 0, ")
    assert first.stdout.split()[1].strip(",") == again.stdout.split()[3].strip(",")


def test_export_restores_missing_and_damaged_files(tmp_path: Path) -> None:
    """A missing or changed file is written again, also if the catalogue is unchanged."""
    options = ("export", tmp_path / "out", "--state", tmp_path / "state")
    run_feeds(*options, cwd=ROOT)
    whole = (tmp_path / "out" / "atom.xml").read_bytes()
    (tmp_path / "out" / "atom.xml").write_bytes(whole[:-1])
    (tmp_path / "out" / "rss.xml").unlink()
    assert run_feeds(*options, cwd=ROOT).stdout.startswith("written 2, ")
    assert (tmp_path / "out" / "atom.xml").read_bytes() == whole


def test_a_second_check_prints_the_same(tmp_path: Path) -> None:
    """A second check of a catalogue prints the same, with its notes, and notices each change."""
    file = tmp_path / "entries.yaml"
    text = (ROOT / "tests" / "cases" / "repeated-time.yaml").read_text()
    file.write_text(text)
    said = [run_feeds("check", "--catalogue", file) for _ in range(2)]
    assert said[0].stdout == said[1].stdout
    assert said[0].stderr == said[1].stderr
    assert "note:" in said[1].stderr
    file.write_text(text.replace("title:", "titel:"))
    assert run_feeds("check", "--catalogue", file).returncode == 1


def test_long_work_shows_a_bar_only_on_a_terminal() -> None:
    """The progress bar is drawn only on a terminal, after a second, and is erased at the end for good."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown, hidden = Terminal(), io.StringIO()
    seconds = 0.0
    both = [Progress(stream, clock=lambda: seconds) for stream in (shown, hidden)]
    for progress in both:
        progress("read", 0.1)
    seconds = 1.1
    for progress in both:
        with progress:
            progress("read", 0.5)
        progress("write", 0.5)
    assert hidden.getvalue() == ""
    assert shown.getvalue() == "\r[###############...............]  50% read        \r\x1b[K"


WAITING = """
import io, sys
from feeds.cli import main, publishing
from feeds.errors import FeedsError
from feeds.export import bucket, object_store
class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True
def begin(_store, _settings, on_progress):
    on_progress("wait", 0.5)
    raise FeedsError("another publish is at work")
publishing._DELAY_SECONDS = -1
object_store.ObjectStore = lambda *_: None
bucket.begin = begin
sys.stderr = Terminal(sys.stderr.buffer, write_through=True)
main(["publish", "s3://bucket", "--catalogue", sys.argv[1]])
"""


def test_the_bar_of_a_publish_that_waited_is_erased() -> None:
    """A message after the wait for another publisher has a line of its own."""
    command = [sys.executable, "-c", WAITING, str(SHIPPED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.rpartition("\x1b[K")[2]) == (
        1,
        "feeds: another publish is at work\n",
    )


@pytest.mark.parametrize("command", ["list", "list --json", "--help", "check"])
def test_a_closed_pipe_is_not_an_error(command: str) -> None:
    """`feeds list | head -1` prints nothing on stderr, with short and with long output."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as unread:
        done = subprocess.run(
            [sys.executable, "-m", "feeds", *command.split()],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=unread,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["check", "list", "list --json", "export {out} --json"])
def test_output_that_cannot_be_written_is_reported(
    command: str, unbuffered: str, tmp_path: Path
) -> None:
    """A full disk under stdout is a message and exit code 1, with short and with long output."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "feeds", *command.format(out=tmp_path / "out").split()],
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "feeds: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_ignored(closed: str, tmp_path: Path) -> None:
    """With its output closed, a command works, and the output goes into no other file."""
    out = tmp_path / "out"
    for _ in range(2):
        command = f"exec {sys.executable} -m feeds export {out} --no-pages {closed}"
        done = run("sh", "-c", command, cwd=ROOT)
        assert (done.returncode, done.stderr) == (0, "")
    assert (out / EXPORT_FOLDER / "lock").read_bytes() == b""
    assert run_feeds("export", out, "--no-pages", cwd=ROOT).stdout.startswith("written 0, ")


def test_a_file_name_can_have_any_bytes(tmp_path: Path) -> None:
    """A catalogue whose name is not valid UTF-8 is read and exported, twice."""
    file = tmp_path / os.fsdecode(b"\xff.yaml")
    file.write_text(shortened("actuary-or-actor"))
    for verb in (["check"], ["check"], ["export", tmp_path / "out"], ["export", tmp_path / "out"]):
        command = [sys.executable, "-m", "feeds", *verb, "--catalogue", file]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        assert done.stderr == b""


def test_notes_are_printed_each_time(tmp_path: Path) -> None:
    """An export that builds nothing prints the notes as the first one did."""
    case = ROOT / "tests" / "cases" / "repeated-time.yaml"
    said = [run_feeds("export", tmp_path / "out", "--catalogue", case) for _ in range(2)]
    assert said[1].stdout.startswith("written 0")
    assert said[0].stderr == said[1].stderr
    assert "note:" in said[0].stderr

"""Mistakes in a command's arguments are reported before anything is written."""

import os
import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT, SHIPPED, run_feeds, shortened, tree

FEW = shortened("actuary-or-actor")
COMMANDS = ("check", "list", "export", "publish", "serve", "ping", "init", "new")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a catalogue, and nothing else."""
    (tmp_path / "entries.yaml").write_text(SHIPPED.read_text())
    return tmp_path


def bare() -> dict[str, str]:
    """Return the environment without FEEDS_STATE."""
    return {name: value for name, value in os.environ.items() if name != "FEEDS_STATE"}


@pytest.mark.parametrize("path", ["entries.yaml", ".", "./", "{folder}", "{folder}/entries.yaml"])
@pytest.mark.parametrize("command", ["check", "list"])
def test_the_catalogue_needs_no_option(command: str, path: str, folder: Path) -> None:
    """A file or a folder after the command is the catalogue."""
    path = path.format(folder=folder)
    wanted = run_feeds(command, "--catalogue", path, cwd=folder)
    done = run_feeds(command, path, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == wanted.stdout


def test_serve_and_ping_take_it_too(tmp_path: Path) -> None:
    """A missing catalogue is reported by its name."""
    for command in ("serve", "ping"):
        done = run_feeds(command, "nowhere.yaml", cwd=tmp_path)
        assert done.returncode == 1
        assert "feeds: nowhere.yaml: No such file or directory" in done.stderr


def test_arguments_take_precedence_over_the_environment(folder: Path) -> None:
    """FEEDS_CATALOGUE is used only if no catalogue is named."""
    env = os.environ | {"FEEDS_CATALOGUE": "nowhere.yaml"}
    assert run_feeds("check", "entries.yaml", cwd=folder, env=env).returncode == 0
    assert run_feeds("check", "--catalogue", "entries.yaml", cwd=folder, env=env).returncode == 0
    assert "nowhere.yaml" in run_feeds("check", cwd=folder, env=env).stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("check --catalog entries.yaml", "unknown option '--catalog'; did you mean '--catalogue'?"),
        ("check --catalog=entries.yaml", "unknown option '--catalog'; did you mean '--catalogue'?"),
        ("check --strickt", "unknown option '--strickt'; did you mean '--strict'?"),
        ("export --compres", "unknown option '--compres'; did you mean '--compress'?"),
        ("export out --dryrun", "unknown option '--dryrun'; did you mean '--dry-run'?"),
        ("serve --prot 80", "unknown option '--prot'; did you mean '--port'?"),
        ("publish --time-out 3 s3://b/x", "unknown option '--time-out'; did you mean '--timeout'?"),
        ("list --jsno", "unknown option '--jsno'; did you mean '--json'?"),
        ("ping -q", "unknown option '-q'"),
        ("check --\x1b[2J", "unknown option '--\\x1b[2J'"),
        ("check a b", "unrecognized arguments: b"),
        ("check entries.yaml --catalogue other.yaml", "there are two catalogues"),
    ],
)
def test_an_unknown_option_is_reported_with_the_usage_of_its_command(
    typed: str, said: str, folder: Path
) -> None:
    """The usage is that of the command, and a similar option is proposed."""
    done = run_feeds(*typed.split(" "), cwd=folder)
    command = typed.split(maxsplit=1)[0]
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: feeds {command} [-h] ")
    assert f"feeds {command}: error: {said}" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("chekc", "unknown command 'chekc'; did you mean 'check'?"),
        ("exprot out", "unknown command 'exprot'; did you mean 'export'?"),
        ("validate entries.yaml", "unknown command 'validate'; did you mean 'check'?"),
        ("build out", "unknown command 'build'; did you mean 'export'?"),
        (
            "entries.yaml",
            "unknown command 'entries.yaml'; did you mean 'feeds check entries.yaml'?",
        ),
        ("xyzzy", "unknown command 'xyzzy'"),
        ("--strict check", "'--strict' comes after the command, as in: feeds check --strict"),
        ("--versoin", "unknown option '--versoin'; did you mean '--version'?"),
    ],
)
def test_an_unknown_command_is_reported(typed: str, said: str, folder: Path) -> None:
    """A similar command is proposed, or the one with this name in other programs."""
    done = run_feeds(*typed.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: feeds [-h] [--version] COMMAND ...\n")
    assert done.stderr.endswith(f"feeds: error: {said}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "export s3://bucket/x",
            "'s3://bucket/x' is an address, not a folder; for a bucket: feeds",
        ),
        ("export s3:/bucket/x", "is an address, not a folder"),
        ("export gs://bucket/x", "for a bucket: feeds publish gs://bucket/x"),
        ("export https://news.example.org/", "is an address, not a folder"),
        ("export entries.yaml", "entries.yaml is a file; name a folder to write: feeds export out"),
        ("export ./entries.yaml --dry-run", "entries.yaml is a file"),
        ("export out entries.yaml", "feeds export out --catalogue entries.yaml"),
        ("export entries.yaml out", "feeds export out --catalogue entries.yaml"),
        ("publish s3://b/x entries.yaml", "feeds publish s3://b/x --catalogue entries.yaml"),
        ("export out --url news.example.org", "the URL 'news.example.org' is not a web address"),
        ("export out --url https://news.example.org", "write https://news.example.org/"),
        (
            "export out --url ftp://news.example.org/ --dry-run",
            "must begin with https:// or http://",
        ),
        ("publish s3://b/x --url nowhere", "the URL 'nowhere' is not a web address"),
        ("serve --url nowhere", "the URL 'nowhere' is not a web address"),
        ("ping --url nowhere", "the URL 'nowhere' is not a web address"),
        ("check --url nowhere", "the URL 'nowhere' is not a web address"),
        ("export out --purge 'no-such-program {urls}'", "there is no program 'no-such-program'"),
        ("export out --purge ./entries.yaml", "there is no program './entries.yaml'"),
        (
            "export out --purge 'PURGE https://x.example/'",
            "a URL needs one of {url}, {path} and",
        ),
        ('export out --purge "\'"', "--purge: No closing quotation"),
        ("export out --purge no-such-program --dry-run", "there is no program 'no-such-program'"),
        (
            "publish s3://b/x --purge 'true {url}'",
            "--purge: a command may have one of {urls}, {paths}",
        ),
    ],
)
def test_a_mistake_in_the_arguments_is_reported_before_anything_is_written(
    typed: str, said: str, folder: Path
) -> None:
    """The exit code is 2, the message names the remedy, and no file is created."""
    done = run_feeds(*shlex.split(typed), cwd=folder, env=bare())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert [path.name for path in folder.iterdir()] == ["entries.yaml"]


@pytest.mark.parametrize("variable", ["FEEDS_URL"])
def test_a_mistake_in_the_environment_is_one_in_the_arguments(variable: str, folder: Path) -> None:
    """The mistake is reported before anything is built, and no file is created."""
    done = run_feeds("export", "out", cwd=folder, env=bare() | {variable: "nowhere"})
    assert done.returncode == 2
    assert [path.name for path in folder.iterdir()] == ["entries.yaml"]


@pytest.mark.parametrize("typed", ["check", "list", "export out", "serve", "check .", "check sub"])
def test_without_a_catalogue_the_smallest_one_is_shown(typed: str, tmp_path: Path) -> None:
    """`feeds check --strict` accepts the example catalogue of the message unchanged."""
    (tmp_path / "sub").mkdir()
    done = run_feeds(*typed.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    head, _, shown = done.stderr.partition("; the smallest catalogue that works:\n\n")
    assert re.match(
        "feeds: .*(No such file or directory|has no .yaml or .yml file); 'feeds init' writes one$",
        head,
    )
    (tmp_path / "entries.yaml").write_text(shown)
    done = run_feeds("check", "--strict", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("entries.yaml: 1 entry, ")


def test_beside_another_catalogue_it_is_not_shown(folder: Path) -> None:
    """With another catalogue in the folder, the message has no example."""
    done = run_feeds("check", "entires.yaml", cwd=folder)
    assert done.stderr == "feeds: entires.yaml: No such file or directory\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example_that_parses(command: str) -> None:
    """The last line of the help is a command that the parser accepts."""
    last = run_feeds(command, "--help").stdout.splitlines()[-1]
    assert last.startswith(f"Example: feeds {command} ")
    words = last.split()[2:]
    done = run_feeds(*words, "--no-such-option")
    assert "unknown option '--no-such-option'" in done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in run_feeds(command, "--help").stdout


NOTED = ROOT / "tests" / "cases" / "repeated-time.yaml"


def test_quiet_prints_only_errors(tmp_path: Path) -> None:
    """--quiet prints no summary and no notes; errors are printed, with --strict notes too."""
    state = ("--state", tmp_path / "state")
    for words in (("check",), ("export", tmp_path / "out"), ("export", tmp_path / "out")):
        done = run_feeds(*words, "--catalogue", NOTED, "--quiet", *state)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out" / "atom.xml").exists()
    done = run_feeds("check", NOTED, "--quiet", "--strict", *state)
    assert done.returncode == 1
    assert "note: entries[0].date (a)" in done.stderr
    done = run_feeds("check", "nowhere.yaml", "--quiet", cwd=ROOT)
    assert done.stderr == "feeds: nowhere.yaml: No such file or directory\n"


def test_quiet_json_is_only_json(tmp_path: Path) -> None:
    """--json prints the report, also with --quiet."""
    done = run_feeds("export", tmp_path / "out", "--catalogue", NOTED, "--quiet", "--json")
    assert done.stdout.startswith("{")
    assert done.stderr == ""


def test_an_export_without_compression_reports_what_it_removes(tmp_path: Path) -> None:
    """An export that lacks --compress reports once that it removes the compressed files."""
    file = tmp_path / "entries.yaml"
    file.write_text(FEW)
    options = ("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "state")
    run_feeds(*options, "--compress")
    count = sum(path.endswith((".br", ".gz")) for path in tree(tmp_path / "out"))
    trial = run_feeds(*options, "--dry-run").stdout
    assert f"; {count} compressed files would be removed: keep them with --compress\n" in trial
    reported = run_feeds(*options).stdout
    assert reported.endswith(
        f", removed {count}; {count} compressed files removed: keep them with --compress\n"
    )
    assert "compressed" not in run_feeds(*options).stdout
    run_feeds(*options, "--compress")
    done = run_feeds(*options, "--json")
    assert "compressed files removed" in done.stderr
    assert done.stdout.startswith("{")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("nginx", "nginx.conf changed: reload nginx"),
        ("caddy", "Caddyfile changed: reload caddy"),
        ("apache", ".htaccess changed"),
        ("netlify", "_headers changed"),
    ],
)
def test_a_changed_host_configuration_is_reported(host: str, said: str, tmp_path: Path) -> None:
    """The summary names a changed server configuration and how to reload it, but not a new or unchanged one."""
    file = tmp_path / "entries.yaml"
    text = FEW
    file.write_text(text)
    url = "https://news.example.org/"
    options = ("export", tmp_path / "out", "--host", host, "--catalogue", file, "--url", url)
    assert " changed" not in run_feeds(*options).stdout
    file.write_text(text.replace("site:\n", "site:\n  max_age: 300\n", 1))
    trial = run_feeds(*options, "--dry-run").stdout
    assert f"; {said.partition(' changed')[0]} would change" in trial
    reported = run_feeds(*options).stdout
    assert re.fullmatch(
        rf"written \d+, unchanged \d+, removed \d+(; .*)*; {said}(; .*)*\n", reported
    )
    file.write_text(text.replace("Actuary or actor?", "Actor or actuary?"))
    file.write_text(text.replace("site:\n", "site:\n  max_age: 300\n", 1) + "# as before\n")
    assert " changed" not in run_feeds(*options).stdout

"""The files of `static/` beside a catalogue are published as they are."""

import os
from pathlib import Path

import pytest
from conftest import run_feeds, shortened, tree

FILES = {"logo.svg": b"<svg/>", "fonts/sans.woff2": b"\0\1", "about/index.html": b"<h1>About</h1>"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for path, body in FILES.items():
        place = tmp_path / "static" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    file = tmp_path / "entries.yaml"
    file.write_text(shortened("actuary-or-actor"))
    return file


def refused(file: Path, *, command: tuple[str, ...] = ("export", "out")) -> str:
    done = run_feeds(*command, "--catalogue", file, cwd=file.parent)
    assert (done.returncode, done.stdout) == (1, ""), done
    [line] = done.stderr.splitlines()
    return line


def test_files_are_exported_as_they_are(file: Path) -> None:
    """Each static file is exported unchanged; a changed file is written, and a removed file is removed."""
    out = file.parent / "out"
    run_feeds("export", out, "--catalogue", file)
    found = tree(out)
    assert {path: found[path] for path in FILES} == FILES
    logo = file.parent / "static" / "logo.svg"
    logo.write_bytes(b"<svg></svg>")
    (file.parent / "static" / "fonts" / "sans.woff2").unlink()
    done = run_feeds("export", out, "--catalogue", file)
    assert done.stdout.startswith("written 1, "), done
    assert done.stdout.endswith(", removed 1\n")
    kept = {path: body for path, body in found.items() if path != "fonts/sans.woff2"}
    assert tree(out) == kept | {"logo.svg": b"<svg></svg>"}


def test_hidden_files_are_left_out(file: Path) -> None:
    """Hidden files and the contents of hidden folders are not published."""
    for name in (".htpasswd", ".git/config", "fonts/.DS_Store"):
        place = file.parent / "static" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("secret")
    run_feeds("export", file.parent / "out", "--catalogue", file)
    assert not [path for path in tree(file.parent / "out") if "/." in f"/{path}"]


@pytest.mark.parametrize("command", [("export", "out"), ("check",)], ids=lambda words: words[0])
@pytest.mark.parametrize("path", ["index.html", "atom.xml", "entries/actuary-or-actor/index.html"])
def test_a_file_in_a_document_s_place_is_an_error(
    path: str, command: tuple[str, ...], file: Path
) -> None:
    """A static file at a document's path is an error that names it, and nothing is published."""
    place = file.parent / "static" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine")
    assert refused(file, command=command) == (
        f"feeds: {place}: would take the place of {path!r}; rename it"
    )
    assert not tree(file.parent / "out")


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("entries", "entries/"),
        ("topics/actuarial-practice", "topics/actuarial-practice/"),
        ("atom.xml/own.txt", "atom.xml"),
        ("healthz", "healthz"),
        ("healthz/own.txt", "healthz"),
        ("metrics", "metrics"),
        ("atom.xml.gz", "atom.xml"),
        ("logo.svg.br", "logo.svg"),
        ("old/own.txt", "old/"),
        ("gone.txt", "gone.txt"),
    ],
)
def test_a_file_is_in_the_way_of_nothing(path: str, other: str, file: Path) -> None:
    """A static file at the path of a folder, `/healthz`, `/metrics`, a compressed copy or a moved address is an error."""
    place = file.parent / "static" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine")
    moved = "site:\n  moved: {old/: ./}\n  retired: [gone.txt]\n"
    file.write_text(file.read_text().replace("site:\n", moved, 1))
    assert refused(file) == f"feeds: {place}: would take the place of {other!r}; rename it"
    assert not tree(file.parent / "out")


def test_a_host_s_own_file_is_written_once(file: Path) -> None:
    """A host's file in `static/` is published; with --host it is an error."""
    (file.parent / "static" / "_headers").write_text("mine")
    run_feeds("export", file.parent / "out", "--catalogue", file)
    assert tree(file.parent / "out")["_headers"] == b"mine"
    command = ("export", "new", "--host", "netlify", "--url", "https://news.example.org/")
    assert refused(file, command=command) == (
        "feeds: '_headers' is in static/, and --host netlify writes it; remove one of them"
    )


@pytest.mark.parametrize("folder", [False, True])
def test_a_symbolic_link_is_refused(file: Path, *, folder: bool) -> None:
    """A symbolic link in `static/` is refused: its target may be private."""
    link = file.parent / "static" / "link"
    link.symlink_to(file.parent if folder else file)
    assert refused(file) == f"feeds: {link}: is a symbolic link; put the file itself there"


@pytest.mark.parametrize("name", [b"a\tb.txt", b"a\nb.txt", b"a\xff.txt"])
def test_a_name_that_no_address_may_have_is_refused(name: bytes, file: Path) -> None:
    """A file name with a control character, or not in UTF-8, is reported."""
    place = os.fsencode(file.parent / "static") + b"/" + name
    Path(os.fsdecode(place)).write_text("x")
    done = run_feeds("export", "--catalogue", file, file.parent / "out")
    assert done.returncode == 1
    assert "its name has a control character, or is not UTF-8; rename it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_error_in_a_template_is_reported_with_its_line(file: Path) -> None:
    """`feeds check` and `feeds export` end with the template's file and line."""
    footer = file.parent / "templates" / "footer.html"
    footer.parent.mkdir()
    footer.write_text("<footer>\n{{ titel }}\n</footer>\n")
    for command in (("check",), ("export", "out")):
        assert refused(file, command=command) == f"feeds: {footer}:2: 'titel' is undefined"


def test_a_template_of_the_publication_is_used(file: Path) -> None:
    """A footer of its own is on every page, and a change of it is exported."""
    footer, out = file.parent / "templates" / "footer.html", file.parent / "out"
    footer.parent.mkdir()
    for text in ("Our footer", "Our other footer"):
        footer.write_text(f"<footer>{text}</footer>\n")
        run_feeds("export", out, "--catalogue", file)
        found = tree(out)
        pages = [found[path] for path in found.keys() - FILES.keys() if path.endswith(".html")]
        assert len(pages) > 3
        assert all(f"<footer>{text}</footer>".encode() in body for body in pages)

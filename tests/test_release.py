"""A release has the same bytes whether it is built, exported or served."""

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from conftest import AS_OF, CATALOGUES, ROOT, SHIPPED, run, run_feeds, tree
from stores import asked

from feeds import FORMATS, Catalogue, Format, build_release, export_folder, load_catalogue

EVERY_FIELD = CATALOGUES / "every-field.yaml"


def test_exported_and_app_bytes_are_the_release(source: Path, tmp_path: Path) -> None:
    """For every path of every catalogue, the export, the app and the release have the same bytes."""
    as_of = datetime.now(UTC)
    catalogue = load_catalogue(source)
    release = build_release(catalogue, as_of=as_of)
    export_folder(catalogue, tmp_path / "out", as_of=as_of)
    assert tree(tmp_path / "out") == {path: document.body for path, document in release.items()}
    with asked(source, tmp_path / "state") as client:
        for path, document in release.items():
            answer = client.get("/" + quote(path))
            assert (answer.status_code, answer.data) == (200, document.body)
            assert answer.content_type == document.media_type
            assert answer.get_etag() == (document.etag, False)
            if path.endswith("index.html"):
                folder = "/" + quote(path.removesuffix("index.html"))
                assert client.get(folder).data == document.body


def test_served_over_a_socket_is_what_is_exported(
    served: Callable[..., str], tmp_path: Path
) -> None:
    """`feeds serve` and `feeds export` at one URL have the same bytes for every path."""
    url = served(SHIPPED)
    done = run_feeds("export", "--catalogue", SHIPPED, "--url", url, tmp_path)
    exported = tree(tmp_path)
    assert done.stdout == f"written {len(exported)}, unchanged 0, removed 0\n"
    for path, body in exported.items():
        with urlopen(url + path) as answer:
            assert answer.read() == body, path


def test_second_export_writes_nothing(tmp_path: Path) -> None:
    """An unchanged catalogue leaves every exported file untouched."""
    first = run_feeds("export", "--catalogue", SHIPPED, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    second = run_feeds("export", "--catalogue", SHIPPED, tmp_path)
    assert first.stdout.startswith("written ")
    assert second.stdout == f"written 0, unchanged {len(tree(tmp_path))}, removed 0\n"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_one_edit_rewrites_only_what_shows_it(tmp_path: Path) -> None:
    """A changed entry leaves the documents of other topics and countries untouched."""
    out, edited = tmp_path / "out", tmp_path / "entries.yaml"
    run_feeds("export", "--catalogue", SHIPPED, out)
    before = tree(out)
    edited.write_text(SHIPPED.read_text().replace("Actuary or actor?", "Actor or actuary?"))
    run_feeds("export", "--catalogue", edited, out)
    changed = {path for path, body in tree(out).items() if body != before[path]}
    own = {"topics/actuarial-practice/", "entries/actuary-or-actor/", ""}
    around = {
        f"entries/{name}/index.html"
        for name in (
            "indonesia-united-kingdom-employment-service",
            "indonesia-journalists-unemployment-benefit",
        )
    }
    assert changed == around | {
        folder + name
        for folder in own
        for name in ("atom.xml", "rss.xml", "feed.json", "index.html")
        if folder + name in before
    }


def digest(folder: Path) -> str:
    text = "".join(
        f"{path} {hashlib.sha256(body).hexdigest()}\n"
        for path, body in sorted(tree(folder).items())
    )
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Zone, locale, hash seed, working directory and installed wheel change no byte."""
    wheel = tmp_path / "wheel"
    built = run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        wheel,
        ROOT,
    )
    assert built.returncode == 0, built.stderr
    site = tmp_path / "site"
    installed = run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
        "--target",
        site,
        *wheel.glob("*.whl"),
    )
    assert installed.returncode == 0, installed.stderr
    settings: list[dict[str, str]] = [
        {},
        {"TZ": "Pacific/Apia", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Caracas", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
        {"PYTHONPATH": str(site)},
    ]
    digests = set()
    for number, setting in enumerate(settings):
        out = tmp_path / str(number)
        code = "import feeds.cli as cli; print(cli.__file__); cli.main()"
        done = run(
            sys.executable,
            "-P",
            "-c",
            code,
            "export",
            "--catalogue",
            EVERY_FIELD,
            out,
            cwd=tmp_path,
            env=os.environ | setting,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(site)) == ("PYTHONPATH" in setting)
        digests.add(digest(out))
    assert len(digests) == 1


def test_the_same_moment_with_another_offset_is_another_text(tmp_path: Path) -> None:
    """An entry's dates have the offset that it has now, not one of the same moment before."""
    head = SHIPPED.read_text("utf-8").partition("\nentries:")[0]
    file = tmp_path / "entries.yaml"
    for date in ("2022-05-24T10:00-03:30", "2022-05-24T15:30+02:00", "2022-05-24T13:30Z"):
        entry = f"- {{id: a, title: T, date: {date}, summary: S}}\n"
        file.write_text(f"{head}\nentries:\n{entry}", "utf-8")
        catalogue = load_catalogue(file)
        release = build_release(catalogue, as_of=AS_OF)
        iso = catalogue.entries[0].published.isoformat().encode()
        assert iso[:16] == date[:16].encode()
        assert release["atom.xml"].body.count(iso) == 3
        assert release["rss.xml"].body.count(iso) == 1
        assert release["feed.json"].body.count(iso) == 2


def test_a_fourth_format_needs_one_row(catalogue: Catalogue) -> None:
    """Adding a format takes one row of the table."""
    titles = Format(
        key="titles",
        name="Titles",
        filename="titles.txt",
        media_type="text/plain; charset=utf-8",
        render_entries=lambda entries, _site: [f"{entry.title}\n".encode() for entry, _ in entries],
        join=lambda _feed, pieces, _site, _address: b"".join(pieces),
    )
    site = replace(catalogue.site, formats=(*catalogue.site.formats, "titles"))
    catalogue = replace(catalogue, site=site)
    release = build_release(catalogue, as_of=AS_OF, formats=(*FORMATS, titles))
    shown = [entry.title for entry in release.feeds[0].latest]
    assert release["titles.txt"].body.decode().splitlines() == shown


def test_embargoed_entries_are_nowhere(tmp_path: Path) -> None:
    """An entry dated later is in no document before its date, and in its feeds from then on."""
    hidden = "- id: the-secret\n  title: A secret\n  date: 2030-01-01T00:00Z\n  summary: Hush.\n"
    extra = "  topics: [financing]\n  countries: [Togo]\n  updated: 2030-02-01T00:00Z\n\n"
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text().replace("entries:\n", "entries:\n" + hidden + extra, 1))
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    plain = build_release(load_catalogue(SHIPPED), as_of=moment)
    before = build_release(load_catalogue(file), as_of=moment - timedelta(seconds=1))
    after = build_release(load_catalogue(file), as_of=moment)
    assert dict(before) == dict(plain)
    assert b"A secret" in after["countries/tg/atom.xml"].body
    assert b"A secret" in after["topics/financing/countries/tg/rss.xml"].body
    assert b"2030-02-01" not in after["atom.xml"].body
    later = build_release(load_catalogue(file), as_of=datetime(2030, 2, 1, tzinfo=UTC))
    assert b"2030-02-01" in later["atom.xml"].body


def test_a_declared_topic_without_entries_has_valid_empty_feeds() -> None:
    """A topic's feed stays when its last entry is removed."""
    release = build_release(load_catalogue(CATALOGUES / "empty.yaml"), as_of=AS_OF)
    assert {path for path in release if path.startswith("topics/soon/")} == {
        f"topics/soon/{name}" for name in ("atom.xml", "rss.xml", "feed.json", "index.html")
    }
    assert b"<updated>2024-02-29T00:00:00+00:00</updated>" in release["topics/soon/atom.xml"].body


def test_a_folder_of_files_is_one_catalogue(tmp_path: Path) -> None:
    """A catalogue that is split into several files has the same release."""
    text = SHIPPED.read_text()
    head, _, entries = text.partition("entries:\n")
    newer, older = entries.split("\n- id: learning-on-social-protection")
    (tmp_path / "1-site.yaml").write_text(head)
    (tmp_path / "2-newer.yaml").write_text("entries:\n" + newer)
    (tmp_path / ".swap.yaml").write_text("x: [")
    (tmp_path / "3-older.YML").write_text("entries:\n- id: learning-on-social-protection" + older)
    whole = build_release(load_catalogue(SHIPPED), as_of=AS_OF)
    assert dict(build_release(load_catalogue(tmp_path), as_of=AS_OF)) == dict(whole)

"""Documents of entries: true to their files, in every format, and never sooner than their entry."""

import io
import json
import shutil
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from buckets import bucket_at
from conftest import AS_OF, CATALOGUES, MEDIA, run_feeds, tree
from lxml import etree, html
from pypdf import PdfWriter
from s3 import s3_server
from stores import asked

from feeds import CatalogueError, Release, build_release, load_catalogue
from feeds.media_types import DOCUMENT_TYPES, PICTURE_TYPES

AGENCY = CATALOGUES / "agency.yaml"
HEAD = 'site: {title: T, url: "https://news.example.org/", id: "tag:news.example.org,2021:t"}\n'
NS = {"atom": "http://www.w3.org/2005/Atom", "media": "http://search.yahoo.com/mrss/"}
File = tuple[str, str, int]


@pytest.fixture(scope="module")
def release() -> Release:
    return build_release(load_catalogue(AGENCY), as_of=AS_OF)


def in_atom(release: Release) -> list[list[File]]:
    """Return address, type and length of the files of each entry."""
    entries = etree.fromstring(release["atom.xml"].body).findall("atom:entry", NS)
    return [
        [
            (link.get("href", ""), link.get("type", ""), int(link.get("length", "")))
            for link in entry.findall("atom:link[@rel='enclosure']", NS)
        ]
        for entry in entries
    ]


def in_json(release: Release) -> list[list[File]]:
    return [
        [
            (one["url"], one["mime_type"], one["size_in_bytes"])
            for one in item.get("attachments", [])
        ]
        for item in json.loads(release["feed.json"].body)["items"]
    ]


def in_rss(release: Release) -> tuple[list[list[File]], list[list[File]]]:
    """Return the files of each item as enclosures, and those of Media RSS that have a length."""
    items = etree.fromstring(release["rss.xml"].body).findall("channel/item")
    enclosures = [
        [
            (one.get("url", ""), one.get("type", ""), int(one.get("length", "")))
            for one in item.findall("enclosure")
        ]
        for item in items
    ]
    media = [
        [
            (one.get("url", ""), one.get("type", ""), int(length))
            for one in item.findall("media:content", NS)
            if (length := one.get("fileSize"))
        ]
        for item in items
    ]
    return enclosures, media


def test_every_format_has_all_documents(release: Release) -> None:
    """Atom, JSON Feed and Media RSS have each document whose length is known, in their order."""
    atom = in_atom(release)
    assert [len(files) for files in atom] == [6, 2, 2, 0]
    assert in_json(release) == atom
    enclosures, media = in_rss(release)
    assert enclosures == [files[:1] for files in atom]
    # There the photo comes first.
    assert [sorted(files) for files in media] == [sorted(files) for files in atom]


def test_lengths_and_types_are_those_of_the_published_files(release: Release) -> None:
    """What formats say of a file of the site is true of the document at that address, byte for byte."""
    site = release.site
    own = [file for files in in_atom(release) for file in files if file[0].startswith(site.url)]
    assert len(own) == 9
    for address, media_type, length in own:
        document = release[unquote(address.removeprefix(site.url))]
        assert len(document.body) == length
        assert document.media_type.partition(";")[0] == media_type


def test_documents_are_the_files(release: Release) -> None:
    """A document is published as it is; of the site's folder, only what entries use is."""
    published = {path: found.body for path, found in release.items() if path.startswith("media/")}
    folder = CATALOGUES / "media"
    names = {path.removeprefix("media/") for path in published}
    assert names == {path.name for path in folder.iterdir()} - {"embargoed.pdf"}
    for name in names - {"clinic.jpg"}:
        assert published[f"media/{name}"] == (folder / name).read_bytes()


def test_the_content_of_every_format_lists_the_documents(release: Release) -> None:
    """Each content ends with a list of links to all documents, with what is known of them."""
    rss = etree.fromstring(release["rss.xml"].body).findall("channel/item")
    encoded = "{http://purl.org/rss/1.0/modules/content/}encoded"
    items = json.loads(release["feed.json"].body)["items"]
    atom = etree.fromstring(release["atom.xml"].body).findall("atom:entry", NS)
    for number, entry in enumerate(release.feeds[0].latest):
        contents = {
            atom[number].findtext("atom:content", "", NS),
            rss[number].findtext(encoded, ""),
            items[number].get("content_html", ""),
        }
        [content] = contents
        found = html.fromstring(content or "<p>").iterfind(".//ul/li/a")
        assert [link.get("href") for link in found] == [
            document.url for document in entry.documents
        ]
    assert "Documents</p>" in atom[0].findtext("atom:content", "", NS)
    assert "Protégés ? Le rapport régional</a> (PDF, 3.2 kB, French, 26 p.)</li>" in (
        atom[0].findtext("atom:content", "", NS)
    )
    assert "(PDF, 3.2 كيلوبايت, الفرنسية, 26 ص)</li>" in atom[2].findtext("atom:content", "", NS)


def test_the_page_lists_the_documents(release: Release) -> None:
    """The page of an entry links to each document, relative to the page."""
    page = html.fromstring(release["entries/report/index.html"].body.decode())
    [section] = page.iterfind(".//section[@class='documents']")
    assert [link.get("href") for link in section.iter("a")] == [
        *(f"../../media/{name}" for name in ("report-en.pdf", "report-fr.pdf", "report-ar.pdf")),
        "../../media/coverage.csv",
        "https://data.example.org/download?id=14&format=x",
        "https://data.example.org/methods.pdf",
    ]
    details = [one.text for one in section.iter("span")]
    assert details[:2] == ["PDF, 2.9 kB, English, 24 p.", "PDF, 3.2 kB, French, 26 p."]
    assert details[4:] == ["XLSX, 48 kB", "PDF"]


def embargoed(folder: Path) -> Path:
    """Return a catalogue whose first entry is held back, and another file of it is not."""
    (folder / "media").mkdir(parents=True)
    for name in ("report-en.pdf", "report-fr.pdf", "annex.pdf", "embargoed.pdf"):
        shutil.copy(CATALOGUES / "media" / name, folder / "media")
    file = folder / "entries.yaml"
    file.write_text(
        f"{HEAD}entries:\n"
        "- id: held\n  title: Held\n  date: 2100-01-01T10:00Z\n"
        "  body: '[Annex](media/annex.pdf) [Both](media/report-fr.pdf)'\n"
        "  documents: [media/embargoed.pdf, media/report-en.pdf]\n"
        "- id: public\n  title: Public\n  date: 2026-01-01\n  body: '[Both](media/report-fr.pdf)'\n"
        "  documents: [media/report-en.pdf]\n"
    )
    return file


def test_a_document_is_public_with_the_first_public_entry_that_uses_it(tmp_path: Path) -> None:
    """What only an entry uses that is held back is no document of the release; later it is."""
    catalogue = load_catalogue(embargoed(tmp_path))
    both = {"media/report-en.pdf", "media/report-fr.pdf"}
    now = build_release(catalogue, as_of=AS_OF)
    assert {path for path in now if path.startswith("media/")} == both
    later = build_release(catalogue, as_of=datetime(2100, 1, 1, 10, tzinfo=UTC))
    assert {path for path in later if path.startswith("media/")} == {
        *both,
        *("media/annex.pdf", "media/embargoed.pdf"),
    }


def test_a_document_of_an_embargoed_entry_is_neither_served_nor_exported(tmp_path: Path) -> None:
    """The address of a document that is held back answers 404, and no exported file has its bytes."""
    file = embargoed(tmp_path / "site")
    with asked(file, tmp_path / "state") as client:
        for name in ("embargoed.pdf", "annex.pdf"):
            assert client.get(f"/media/{name}").status_code == 404
        answer = client.get("/media/report-en.pdf")
        assert answer.data == (file.parent / "media" / "report-en.pdf").read_bytes()
        assert answer.content_type == "application/pdf"
        assert answer.content_length == len(answer.data)
    done = run_feeds("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    exported = tree(tmp_path / "out")
    secret = (file.parent / "media" / "embargoed.pdf").read_bytes()
    assert "media/report-en.pdf" in exported
    assert secret not in exported.values()
    assert not any(b"embargoed" in body or b"annex" in body for body in exported.values())


@pytest.mark.heavy
def test_a_document_of_an_embargoed_entry_is_not_in_a_bucket(tmp_path: Path) -> None:
    """Nothing of a document that is held back is uploaded."""
    file = embargoed(tmp_path / "site")
    with s3_server(tmp_path / "weed") as server, bucket_at(server, tmp_path) as bucket:
        bucket._replace(catalogue=file).publish()
        uploaded = bucket.bodies()
    assert "media/report-en.pdf" in uploaded
    assert not any("embargoed" in path or "annex" in path for path in uploaded)
    assert (file.parent / "media" / "embargoed.pdf").read_bytes() not in uploaded.values()


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def of_type(ending: str) -> bytes:
    """Return a small file of a type."""
    office = {"docx": "word/document.xml", "pptx": "ppt/slides.xml", "xlsx": "xl/workbook.xml"}
    if ending in office:
        return zipped(**{"[Content_Types].xml": b"<Types/>", office[ending]: b"<x/>"})
    if ending in {"epub", "odp", "ods", "odt"}:
        return zipped(mimetype=DOCUMENT_TYPES[ending].encode())
    if ending in {"m4a", "mov", "mp4"}:
        return (CATALOGUES / "media" / "clip.mp4").read_bytes()
    if ending == "wav":
        return b"RIFF" + struct.pack("<I", 36) + b"WAVE" + bytes(32)
    return {
        "csv": "a,b\n1,é\n".encode(),
        "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "flac": b"fLaC" + bytes(38),
        "mp3": (CATALOGUES / "media" / "interview.mp3").read_bytes(),
        "ogg": b"OggS" + bytes(24),
        "pdf": (CATALOGUES / "media" / "annex.pdf").read_bytes(),
        "rtf": b"{\\rtf1 a}",
        "txt": b"A text.\n",
        "webm": b"\x1a\x45\xdf\xa3" + bytes(28),
        "zip": zipped(a=b"A"),
    }[{"ppt": "doc", "xls": "doc", "oga": "ogg", "ogv": "ogg", "opus": "ogg"}.get(ending, ending)]


def listed(folder: Path, files: dict[str, bytes]) -> Path:
    """Return a catalogue of an entry that lists files as its documents."""
    (folder / "media").mkdir()
    for name, body in files.items():
        (folder / "media" / name).write_bytes(body)
    names = "".join(f"  - media/{name}\n" for name in files)
    file = folder / "entries.yaml"
    file.write_text(
        f"{HEAD}entries:\n- id: a\n  title: A\n  date: 2026-01-01\n  documents:\n{names}"
    )
    return file


def test_each_type_of_document_is_published(tmp_path: Path) -> None:
    """A file of each type is a document of that type, and a picture can be one, too."""
    files = {f"file.{ending}": of_type(ending) for ending in DOCUMENT_TYPES}
    files["poster.png"] = (MEDIA / "market.png").read_bytes()
    catalogue = load_catalogue(listed(tmp_path, files))
    release = build_release(catalogue, as_of=AS_OF)
    for document, name in zip(catalogue.entries[0].documents, files, strict=True):
        ending = name.partition(".")[2]
        assert document.media_type == (DOCUMENT_TYPES | PICTURE_TYPES)[ending]
        assert len(release[f"media/{name}"].body) == document.length
        assert document.pages == (2 if ending == "pdf" else 0)


@pytest.mark.parametrize("ending", DOCUMENT_TYPES)
def test_an_empty_damaged_or_mislabelled_document_is_a_problem(ending: str, tmp_path: Path) -> None:
    """A file that is empty, is cut off, or has another type is refused, each at its line."""
    whole = of_type(ending)
    is_archive = whole[:2] == b"PK"
    wrong = {
        f"empty.{ending}": b"",
        f"page.{ending}": b"\0<!doctype html><title>Not found</title>" * 20,
    }
    if is_archive or ending in {"pdf", "mp4", "m4a", "mov", "wav"}:
        wrong[f"cut.{ending}"] = whole[: len(whole) * 2 // 3]
    if ending != "zip" and is_archive:
        wrong[f"other.{ending}"] = zipped(a=b"A")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(listed(tmp_path, wrong))
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (7 + number, "is empty" if not body else f"is damaged, or not a '.{ending}' file")
        for number, body in enumerate(wrong.values())
    ]


def in_rc4(pdf: bytes) -> bytes:
    """Return a PDF that is encrypted, and opens without a password."""
    writer, data = PdfWriter(clone_from=io.BytesIO(pdf)), io.BytesIO()
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(data)
    return data.getvalue()


def in_aes(pdf: bytes) -> bytes:
    """Return a PDF that says it is encrypted with AES-256, which pypdf alone cannot read."""
    keys = "".join(f"/{name}<{'00' * size}>" for name, size in _AES_KEYS.items())
    encryption = (
        f"/Encrypt<</Filter/Standard/V 5/R 6/Length 256/P -4{keys}/StmF/StdCF/StrF/StdCF"
        "/CF<</StdCF<</CFM/AESV3/Length 32>>>>>>/ID[<00><00>]"
    )
    return pdf.replace(b"/Root 1 0 R", b"/Root 1 0 R" + encryption.encode())


_AES_KEYS = {"O": 48, "U": 48, "OE": 32, "UE": 32, "Perms": 16}


def test_a_pdf_is_read_as_readers_read_it(tmp_path: Path) -> None:
    """A PDF with an encrypted part has no number of pages; one whose pages are lost is refused."""
    whole = (CATALOGUES / "media" / "report-en.pdf").read_bytes()
    files = {"a.pdf": whole + b"\0" * 99, "b.pdf": in_rc4(whole), "c.pdf": in_aes(whole)}
    catalogue = load_catalogue(listed(tmp_path, files))
    assert [document.pages for document in catalogue.entries[0].documents] == [24, 0, 0]
    lost = whole.replace(b"/Kids[3 0 R", b"/Kids[2 0 R")
    (tmp_path / "media" / "a.pdf").write_bytes(lost)
    with pytest.raises(CatalogueError, match="is damaged"):
        load_catalogue(tmp_path / "entries.yaml")


def test_a_body_that_links_to_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file that a body links to is checked as a document is, and reported at the link."""
    file = listed(tmp_path, {"a.pdf": b"%PDF-1.4"})
    file.write_text(
        f"{HEAD}entries:\n- id: a\n  title: A\n  date: 2026-01-01\n  body: |\n"
        "    Text.\n\n    [Report](media/a.pdf)\n"
    )
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(file)
    [problem] = caught.value.problems
    assert problem.message == "leads to 'media/a.pdf', which is damaged, or not a '.pdf' file"
    assert problem.line == 9

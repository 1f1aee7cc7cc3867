"""The documentation describes what the program does."""

import os
import re
import shutil
import sys
from itertools import chain, count
from pathlib import Path

import pytest
from conftest import ROOT, run, run_feeds
from PIL import Image

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

README = (ROOT / "README.md").read_text()
EDITORS = (ROOT / "docs" / "editors.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
[SAMPLE] = re.findall(r"```yaml\n(- id: .*?)```", EDITORS, re.DOTALL)
# How the lines end that `feeds new` and `feeds check` print.
ENDS = ("check entries.yaml", "no problem")
# What is right in the sample entry, what may be written instead, and the message in the guide.
MISTAKES = [
    ("Market women in Cebu join", "Cebu: women join", "a text with ': ' in it must be in quotes"),
    ("© BWI 2022, alt", "© BWI, 2022, alt", "a ',' ends a text in brackets"),
    ("  date: 1 June", " date: 1 June", "the line must begin with 2 spaces, not with 1"),
    ("1 June 2022", "06/01/2022", "is ambiguous: 6 January or 1 June"),
    ("e, formalization]", "e, coverage]", "there is no topic 'coverage' under 'topics'"),
    ("Philippines", "Phillipines", "unknown country 'Phillipines'"),
    (
        "market-women-in-cebu-join-the-pension-scheme",
        "jordan-ilo-agreement",
        "the id 'jordan-ilo-agreement' is taken, at entries.yaml:35:7",
    ),
]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of pictures with that of the sample entry."""
    folder = tmp_path_factory.mktemp("beside") / "media"
    folder.mkdir()
    Image.new("RGB", (20, 30)).save(folder / "market.jpg")
    return folder


def test_readme_error_is_the_real_one(tmp_path: Path) -> None:
    """The sample error is what `feeds check` prints for the sample entry with its mistake."""
    [block] = re.findall(r"```\w*\n(entries\.yaml:\d+:.*?)```", README, re.DOTALL)
    text = (ROOT / "entries.yaml").read_text()
    [entry] = re.findall(r"```yaml\n(- id: .*?)```", README, re.DOTALL)
    assert entry in text
    wrong = text.replace(entry, entry.replace("countries: [Indonesia]", "countries: [Indonesa]"))
    (tmp_path / "entries.yaml").write_text(wrong)
    assert run_feeds("check", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}).stderr == block


def test_python_in_the_readme_runs(tmp_path: Path) -> None:
    """The example of the Python API runs unchanged."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "entries.yaml").write_text((ROOT / "entries.yaml").read_text())
    command = [sys.executable, "-c", f"{code}\napp.close()\n"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = run(*command, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "<rss" in done.stdout
    assert (tmp_path / "out" / "atom.xml").exists()


def test_every_command_is_in_the_readme() -> None:
    """The README lists each command."""
    commands = re.findall(r"^    (\w+) ", run_feeds("--help").stdout, re.MULTILINE)
    assert len(commands) == 9
    for command in commands:
        assert f"feeds {command}" in README


def prose_of(document: Path) -> str:
    """Return the text of a document without its blocks of code."""
    return re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)


def anchors_of(document: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+)$", prose_of(document), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w -]", "", text).replace(" ", "-")
        further = (f"{slug}-{number}" for number in count(1))
        anchors.add(next(name for name in chain([slug], further) if name not in anchors))
    return anchors


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """Each relative link in a document leads to a file, and its anchor to a heading of that file."""
    # A link in inline code is a sample.
    prose = re.sub(r"`[^`\n]*`", "", prose_of(document))
    for path, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)", prose):
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), f"{path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_entries_in_documents_are_valid(document: Path, media: Path) -> None:
    """Each sample entry in a document can be pasted into a catalogue."""
    head = (ROOT / "entries.yaml").read_text().partition("\nentries:\n")[0]
    for sample in re.findall(r"```yaml\n(- id: .*?)```", document.read_text(), re.DOTALL):
        text = f"{head}\nentries:\n{sample}"
        catalogue = read_catalogue([("sample", text.encode())], media=media)
        assert catalogue.entries


def test_the_editors_guide_can_be_followed(tmp_path: Path, media: Path) -> None:
    """The commands, the sample entry and the photo of the guide lead to the output it shows."""
    [title] = re.findall(r"feeds new \"(.*)\"", EDITORS)
    added, valid = (re.findall(rf"^ +(entries.*{end})$", EDITORS, re.MULTILINE) for end in ENDS)
    [refused] = re.findall(r"```\n(entries.*?)```", EDITORS, re.DOTALL)
    file = tmp_path / "entries.yaml"
    file.write_text((ROOT / "entries.yaml").read_text())
    env = {"PYTHONPATH": str(ROOT)}
    assert run_feeds("new", title, cwd=tmp_path, env=env).stdout.splitlines() == added
    assert run_feeds("check", cwd=tmp_path, env=env).stderr == refused

    placeholder = re.compile(r"- id: \S+\n(  .*\n)*?  summary: FEEDS-TODO.*\n")
    new = placeholder.search(file.read_text())
    assert new
    assert new[0].split("\n")[:2] == SAMPLE.split("\n")[:2]
    file.write_text(placeholder.sub(lambda _: SAMPLE, file.read_text()))
    shutil.copytree(media, tmp_path / "media")
    done = run_feeds("check", cwd=tmp_path, env=env)
    assert (done.stdout.splitlines()[:1], done.stderr) == (valid, "")


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_the_commonest_mistakes_have_the_messages_shown(
    right: str, wrong: str, message: str, media: Path
) -> None:
    """Each message among the commonest mistakes is that of such a mistake in the sample entry."""
    text = (ROOT / "entries.yaml").read_text().replace("\nentries:\n", f"\nentries:\n{SAMPLE}\n")
    assert text.count(right) == 1
    with pytest.raises(CatalogueError) as refused:
        read_catalogue([("entries.yaml", text.replace(right, wrong).encode())], media=media)
    [problem] = refused.value.problems
    assert message in problem.message


def test_every_common_mistake_is_tried() -> None:
    """Each message in the guide's table of the commonest mistakes is one of those that are tested."""
    table = EDITORS.partition("\n## Mistakes\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE) == [row[2] for row in MISTAKES]


def test_every_field_is_described() -> None:
    """The reference of the catalogue describes each key."""
    reference = (ROOT / "docs" / "catalogue.md").read_text()
    source = "".join(path.read_text() for path in (ROOT / "feeds" / "catalogue").glob("*.py"))
    keys = set(re.findall(r"value\(\s*\"(\w+)\"", source)) | {"topics", "countries", "photo"}
    assert len(keys) > 20
    for key in keys:
        assert re.search(rf"[`{{ ]{key}[`}},]", reference), key


def test_what_growing_costs_is_reckoned_right() -> None:
    """Each calculation in the page on growing has the result shown."""
    page = (ROOT / "docs" / "growing.md").read_text().replace(",", "")
    rows = re.findall(r"\| ([(\d][^|]* × 30 million) \| (\d+) \|", page)
    assert len(rows) >= 4
    for text, gigabytes in rows:
        sum_of = text.replace("×", "*").replace("30 million", "30e6")
        assert re.fullmatch(r"[\d+*() e]+", sum_of)
        assert round(eval(sum_of) / 1e9) == int(gigabytes)  # noqa: S307  # digits and signs alone

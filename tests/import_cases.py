"""The sources in `imports/`, and what importing each gives, in a file beside it.

`NAME.expect` begins with the command and the number of items that its author counted in
the source: `# $ feeds import news.yml`, `# Items: 5`. The report follows, and the catalogue.
`make golden` writes both behind the first two lines; without these, it writes them for
the name alone, to be completed.
"""

import io
import re
import shlex
import shutil
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from conftest import ROOT

from feeds.cli import main

FOLDER = ROOT / "tests" / "imports"
_SOURCES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".expect")
# Data files, one of them in a folder with the configuration of its site; and folders of Markdown.
FILES = [path for path in _SOURCES if path.is_file() or (path / "_data" / "news.yml").exists()]
FOLDERS = [path for path in _SOURCES if path not in FILES]
# In `site.id`, the year of the import.
_YEAR = re.compile(r"(?<=,)20\d\d(?=:)")
_SUMMARY = re.compile(
    r"(\d+) entr(?:y|ies) (?:written|inserted)(?:.*?(\d+) items? not imported)?.*$"
)


class Imported(NamedTuple):
    """What a command printed, and its exit code."""

    output: str
    code: int

    @property
    def written(self) -> int:
        """How many entries it wrote."""
        found = _SUMMARY.search(self.output)
        return int(found[1]) if found else 0

    @property
    def left_out(self) -> int:
        """How many items it reported as not imported, each on a line."""
        found = _SUMMARY.search(self.output)
        lines = self.output.count("; not imported\n")
        assert not found or int(found[2] or 0) == lines
        return lines


def feeds(folder: Path, *words: str) -> Imported:
    """Run the command `feeds` in a folder, in this process."""
    code: str | int | None = 0
    with chdir(folder), redirect_stderr(io.StringIO()) as said, redirect_stdout(said):
        try:
            main(words)
        except SystemExit as end:
            code = end.code
    if isinstance(code, str):
        return Imported(f"{said.getvalue()}{code}\n", 1)
    return Imported(said.getvalue(), code or 0)


class Case:
    """A source, the command that imports it, and how many items it has."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.file = source.with_name(f"{source.name}.expect")
        kept = self.file.read_text("utf-8") if self.file.exists() else ""
        self.expected = kept
        head = re.match(r"# \$ feeds (.+)\n# Items: (\d+)\n", kept)
        self.words = shlex.split(head[1]) if head else ["import", source.name]
        self.items = int(head[2]) if head else -1

    def check(self, folder: Path, *, golden: bool) -> None:
        """Import the source in an empty folder, and compare; `golden` first writes what is expected."""
        folder = self.copied_to(folder)
        done = feeds(folder, *self.words)
        catalogue = folder / "entries.yaml"
        written = catalogue.read_text("utf-8") if catalogue.exists() else ""
        if golden:
            self.expected = self.text(done, written)
            self.file.write_text(self.expected, "utf-8")
        assert self.text(done, written) == self.expected
        assert bool(written) == (done.code == 0)
        if written:
            assert done.written + done.left_out == self.items
            assert feeds(folder, "check").code == 0

    def copied_to(self, folder: Path) -> Path:
        """Copy the source into a folder, and return the folder in which the command runs."""
        folder.mkdir(exist_ok=True)
        if self.source.is_file():
            shutil.copy(self.source, folder)
            return folder
        copy = shutil.copytree(self.source, folder / self.source.name)
        return folder if self.words[1] == self.source.name else copy

    def text(self, done: Imported, catalogue: str) -> str:
        """Return what the file beside the source says if the command did this."""
        command = shlex.join(["feeds", *self.words])
        report = "".join(f"# {line}\n" for line in done.output.splitlines())
        head = f"# $ {command}\n# Items: {self.items}\n{report}"
        return head + (f"\n{_YEAR.sub('2026', catalogue)}" if catalogue else "")

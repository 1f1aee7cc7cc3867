"""A catalogue is read only from regular files, so that reading never blocks."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SHIPPED, free_port, run_feeds

from feeds import FeedsError
from feeds.storage import read_files


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


@pytest.mark.parametrize("make", [os.mkfifo, a_socket, Path.mkdir])
def test_what_is_no_file_is_told_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe, a socket or a folder in place of a catalogue file is reported by name."""
    (tmp_path / "one.yaml").write_text(SHIPPED.read_text())
    odd = tmp_path / "two.yaml"
    make(odd)
    with pytest.raises(FeedsError, match=rf"^{odd}: is not a regular file$"):
        read_files(tmp_path)
    if not odd.is_dir():
        with pytest.raises(FeedsError, match=rf"^{odd}: is not a regular file$"):
            read_files(odd)


@pytest.mark.parametrize(
    "verb", [["check"], ["list"], ["export", "{out}"], ["serve", "--port", "{port}"]]
)
def test_no_verb_waits_for_a_pipe(verb: list[str], tmp_path: Path) -> None:
    """Each command exits with code 1, and the message names the pipe."""
    pipe = tmp_path / "entries.yaml"
    os.mkfifo(pipe)
    words = [part.format(out=tmp_path / "out", port=free_port()) for part in verb]
    done = run_feeds(*words, "--catalogue", pipe)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"feeds: {pipe}: is not a regular file\n"

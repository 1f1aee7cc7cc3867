"""Run the command `feeds` in processes that are forked from one which has run already.

Most of a short command's time is Python's own start, its imports, and the data of the
languages: 0.25 of 0.3 s.
"""

import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["preloaded"])
# A start also asks for the exit codes of other processes, and each can be read only once.
_LOCK = threading.Lock()


def run_forked(
    arguments: list[str], cwd: Path | None, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run `feeds` in a new process, and return its exit code and output."""
    with TemporaryDirectory() as folder:
        out, err = (str(Path(folder) / name) for name in ("out", "err"))
        # To ask the system for it is to set it, for all threads.
        found = re.search(r"^Umask:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
        assert found
        mask = int(found[1], 8)
        process = _CONTEXT.Process(target=_feeds, args=(arguments, cwd, dict(env), mask, out, err))
        with _LOCK:
            _start_server()
            process.start()
        wait([process.sentinel], timeout)
        with _LOCK:
            code = process.exitcode
        if code is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["feeds", *arguments], timeout)
        texts = (Path(path).read_text("utf-8") for path in (out, err))
        return subprocess.CompletedProcess(["feeds", *arguments], code, *texts)


@cache
def _start_server() -> None:
    """Start the process to fork; its PYTHONPATH has this folder, which is where `preloaded` is.

    Python 3.11 does not give it the path of this process, and a module that it does not find
    is silently not loaded: https://github.com/python/cpython/issues/117378
    """
    before = os.environ.get("PYTHONPATH")
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, before] if before else [here])
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _feeds(  # noqa: PLR0913, PLR0917  # it is called from here alone
    arguments: list[str], cwd: Path | None, env: dict[str, str], mask: int, out: str, err: str
) -> None:
    # Before anything is imported here: this is what makes the tests fast.
    preloaded = "feeds.cli" in sys.modules
    for number, path in ((1, out), (2, err)):
        written = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(written, number)
        os.close(written)
    assert preloaded, "the process was forked from one that has not loaded `feeds`"
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.umask(mask)
    if cwd:
        os.chdir(cwd)
    sys.argv = ["feeds", *arguments]
    from feeds.cli import main  # noqa: PLC0415  # it is what was loaded before

    main()

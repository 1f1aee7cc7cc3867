"""`feeds import` in the process of a test, which is faster than a process of its own."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from feeds.cli import main


def run_import(source: str | Path, catalogue: Path, *options: str | Path) -> CompletedProcess[str]:
    """Run the command, and return its exit code and what it printed."""
    words = ["import", *map(str, options), "--catalogue", str(catalogue), str(source)]
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main(words)
        except SystemExit as end:
            code = end.code
    # As the interpreter does when it ends.
    texts = (out.getvalue(), err.getvalue() + (f"{code}\n" if isinstance(code, str) else ""))
    return CompletedProcess(words, code if isinstance(code, int) else 1, *texts)

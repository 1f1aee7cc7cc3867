"""The command line in the process of a test, at the time of its clock."""

import io
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from stores import Clock

from feeds.build import Build, BuildOptions, SiteBuilder
from feeds.cli import main


class Commands:
    """Runs commands, and returns what each has built."""

    def __init__(self, clock: Clock, patch: pytest.MonkeyPatch) -> None:
        self._builds: list[Build] = []
        build = SiteBuilder.build

        def recorded(builder: SiteBuilder, **options: bool) -> Build:
            self._builds.append(build(builder, **options))
            return self._builds[-1]

        patch.setattr(SiteBuilder, "build", recorded)
        timed = partial(BuildOptions, clock=clock, sleep=clock.sleep)
        patch.setattr("feeds.build.BuildOptions", timed)
        now = SimpleNamespace(now=lambda _: clock())
        patch.setattr("feeds.cli.publishing.datetime", now)
        # What a child process changes in memory is not seen here.
        patch.setattr("feeds.parallel._can_fork", lambda: False)

    def run(self, *words: str | Path) -> Build | None:
        """Run a command that must succeed; return its build, or None if it ended without one."""
        self._builds.clear()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
            try:
                main([*map(str, words)])
            except SystemExit as end:
                assert not end.code, said.getvalue()
        return self._builds[-1] if self._builds else None

"""Build a wheel, an sdist and constraints.txt in `dist/`, of the commit that is checked out.

`__version__` in `feeds/__init__.py` ends in `.dev0` between releases. A build of such
a commit has the number of commits and the commit's hash in its version, as in
`0.2.0.dev941+g18806b0c7d2e`: pip replaces one build by another, and takes that of
a later commit for newer.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
_VERSION_LINE = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)
_DEVELOPMENT = ".dev0"
_PIN = re.compile(r"^[\w.-]+==[^\\\n]*", re.MULTILINE)


def main() -> None:
    """Replace what is in `dist/` by a build of the commit; raises SystemExit."""
    if not (ROOT / ".git").exists():
        sys.exit("make_dist.py: this is not a clone of the repository; run: pip wheel --no-deps .")
    if _git("rev-parse", "--is-shallow-repository") == "true":
        sys.exit("make_dist.py: the clone is shallow; run: git fetch --unshallow")
    if changes := _git("status", "--porcelain"):
        sys.exit(f"make_dist.py: commit or remove these changes first:\n{changes}")
    with TemporaryDirectory() as folder:
        source = Path(folder, "feeds")
        # The clone has only the files of the commit.
        _git("clone", "--quiet", str(ROOT), str(source))
        file = source / "feeds" / "__init__.py"
        text = file.read_text("utf-8")
        [version] = _VERSION_LINE.findall(text)
        line = f'__version__ = "{_build_version(version)}"'
        file.write_text(_VERSION_LINE.sub(line, text), "utf-8")
        shutil.rmtree(DIST, ignore_errors=True)
        _build(source)
    pins = _PIN.findall((ROOT / "requirements-dev.txt").read_text("utf-8"))
    (DIST / "constraints.txt").write_text("".join(f"{pin.rstrip()}\n" for pin in pins), "utf-8")


def _build_version(version: str) -> str:
    """Return the version of a build of this commit; raises SystemExit if it contradicts a tag."""
    release = version.removesuffix(_DEVELOPMENT)
    is_release = release == version
    if is_release != (f"v{release}" in _git("tag", "--points-at", "HEAD").split()):
        sys.exit(
            f"make_dist.py: __version__ is {version!r}, and the commit is "
            + (f"not tagged v{release}" if is_release else f"tagged v{release}")
            + f"; for a release write {release!r} into feeds/__init__.py, commit, and tag that"
        )
    if is_release:
        return version
    number, commit = _git("rev-list", "--count", "HEAD"), _git("rev-parse", "HEAD")[:12]
    return f"{release}.dev{number}+g{commit}"


def _build(source: Path) -> None:
    """Build an sdist, and the wheel from that, as of the time of the commit."""
    command = [sys.executable, "-m", "uv", "build", "--offline", "--no-build-isolation"]
    options = ["--python", sys.executable, "--no-create-gitignore", "--out-dir", str(DIST)]
    env = os.environ | {"SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    subprocess.run([*command, *options, str(source)], env=env, check=True)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()

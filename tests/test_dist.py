"""`make dist`: a wheel and an sdist that tell one commit from another, and pinned versions."""

import re
import shutil
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import ROOT, program, run
from packages import Repository, environment, repository
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository of one commit, after `make dist` over an older build."""
    made = repository(tmp_path_factory.mktemp("repository"))
    made.dist.mkdir()
    (made.dist / "feeds-0.1.0-py3-none-any.whl").write_text("old")
    made.make_dist()
    return made


def test_a_build_has_a_wheel_an_sdist_and_constraints(built: Repository) -> None:
    """`dist/` has one wheel, one sdist of the same version, and the constraints; nothing older."""
    names = {path.name for path in built.dist.iterdir()}
    assert names == {built.wheel.name, f"feeds-{built.version}.tar.gz", "constraints.txt"}


def test_the_wheel_has_the_whole_package(built: Repository) -> None:
    """The wheel has each file of the package, with templates, style sheets and tables."""
    with ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if not name.startswith("feeds-")}
    tracked = built.git("ls-files", "feeds").split("\n")
    assert names == {*tracked}
    assert {Path(name).suffix for name in names} >= {".py", ".html", ".css", ".toml"}


def test_the_sdist_builds_the_same_wheel(built: Repository, tmp_path: Path) -> None:
    """Without git, the sdist gives the same version, and the same bytes if the time is the same."""
    run(program("tar"), "-xzf", built.sdist, "-C", tmp_path)
    source = tmp_path / f"feeds-{built.version}"
    assert (source / "tests" / "test_dist.py").exists()
    env = environment(SOURCE_DATE_EPOCH=built.git("log", "-1", "--format=%ct"))
    command = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    done = run(*command, "--wheel-dir", tmp_path, source, env=env)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / built.wheel.name).read_bytes() == built.wheel.read_bytes()
    done = run(sys.executable, source / "make_dist.py", env=environment())
    assert done.stderr.startswith("make_dist.py: this is not a clone of the repository; run: ")


def test_the_version_names_the_commit(built: Repository, tmp_path: Path) -> None:
    """The version of a build has the number and the hash of its commit; the command prints the same."""
    assert built.version == f"7.8.9.dev1+g{built.git('rev-parse', 'HEAD')[:12]}"
    shutil.unpack_archive(built.wheel, tmp_path, "zip")
    command = (sys.executable, "-P", "-m", "feeds", "--version")
    done = run(*command, cwd=tmp_path, env=environment(PYTHONPATH=str(tmp_path)))
    assert done.stdout == f"feeds {built.version}\n"


@pytest.mark.heavy
def test_a_build_is_reproducible_and_a_later_one_is_newer(
    built: Repository, tmp_path: Path
) -> None:
    """The same commit gives the same bytes in another folder; the next commit, a newer version."""
    other = Repository(tmp_path / "other")
    shutil.copytree(built.folder, other.folder)
    other.make_dist()
    assert other.wheel.read_bytes() == built.wheel.read_bytes()
    assert other.sdist.read_bytes() == built.sdist.read_bytes()
    other.commit()
    other.make_dist()
    assert Version(other.version) > Version(built.version)
    assert Version(other.version) < Version("7.8.9")


def test_constraints_pin_all_dependencies(built: Repository) -> None:
    """constraints.txt pins each version that requirements.txt does, and the optional dependencies."""
    lines = (built.dist / "constraints.txt").read_text().splitlines()
    pins = {str(Requirement(line)) for line in lines}
    locked = re.findall(r"^(\S+==.*?) *\\$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert len(locked) > 20
    assert {str(Requirement(line)) for line in locked} <= pins
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = (project["dependencies"], *project["optional-dependencies"].values())
    needed = {canonicalize_name(Requirement(line).name) for group in groups for line in group}
    assert needed <= {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.heavy
def test_a_release_is_tagged(tmp_path: Path) -> None:
    """A commit is built as a release if version and tag agree; else the message says what to do."""
    made = repository(tmp_path)
    made.set_version("7.8.9")
    said = made.refused()
    assert "commit or remove these changes first:\nM feeds/__init__.py" in said
    made.commit()
    said = made.refused()
    assert "__version__ is '7.8.9', and the commit is not tagged v7.8.9; for a release" in said
    made.git("tag", "v7.8.9")
    made.make_dist()
    assert made.version == "7.8.9"
    made.set_version("7.9.0.dev0")
    made.commit()
    made.git("tag", "v7.9.0")
    said = made.refused()
    assert "__version__ is '7.9.0.dev0', and the commit is tagged v7.9.0; for a release" in said
    assert made.version == "7.8.9"
    made.git("clone", "--quiet", "--depth=1", f"file://{tmp_path}", str(tmp_path / "shallow"))
    assert "git fetch --unshallow" in Repository(tmp_path / "shallow").refused()

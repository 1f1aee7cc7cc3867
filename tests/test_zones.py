"""The site's time zone is that of a place, and has the same meaning on every machine."""

import os
import sys
from pathlib import Path

import pytest
from conftest import run

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

SITE = (
    "site: {{title: T, url: 'https://e.org/', id: 'tag:e.org,2021:t', timezone: {}}}\nentries: []\n"
)


def read(zone: str) -> str:
    """Return the zone of a catalogue, or the message on it."""
    try:
        catalogue = read_catalogue([("f.yaml", SITE.format(zone).encode())])
    except CatalogueError as error:
        [problem] = error.problems
        return problem.message
    return catalogue.site.timezone.key


@pytest.mark.parametrize("zone", ["Europe/Zurich", "UTC", "Etc/GMT-2", "GMT+0", "EST"])
def test_a_zone_is_known_by_its_name(zone: str) -> None:
    """Every zone that has one meaning is accepted."""
    assert read(zone) == zone


@pytest.mark.parametrize(
    "zone", ["localtime", "posixrules", "Factory", "GMT+2", "UTC-05:30", "+02:00"]
)
def test_zones_that_differ_between_machines_are_refused(zone: str) -> None:
    """A name for the machine's own setting is refused, as is an offset, which has no suggestion."""
    assert read(zone) == f"unknown time zone {zone!r}; write it like Asia/Jakarta"


@pytest.mark.parametrize("zone", ["right/UTC", "posix/Europe/Zurich"])
def test_another_table_of_zones_is_refused(zone: str) -> None:
    """For a zone in another table, the message suggests its usual name."""
    assert read(zone) == f"unknown time zone {zone!r}; did you mean {zone.partition('/')[2]}?"


def test_new_data_of_a_time_zone_are_exported(tmp_path: Path) -> None:
    """If the system's time zone data changes, an unchanged catalogue is read and exported again."""
    zones = tmp_path / "zones"
    (zones / "Europe").mkdir(parents=True)
    file, out = tmp_path / "entries.yaml", tmp_path / "out"
    file.write_text(
        "site: {title: T, url: https://x.org/, id: 'tag:x.org,2021:x', timezone: Europe/Zurich}\n"
        "entries:\n- {id: one, title: One, date: 2022-01-31 10:00, summary: S.}\n"
    )
    found = []
    for hours in (1, 2):
        # A zone without changes of its offset (RFC 9636).
        kind = (hours * 3600).to_bytes(4, "big") + b"\0\0ZON\0"
        counts = b"".join(number.to_bytes(4, "big") for number in (0, 0, 0, 0, 1, 4))
        block = b"TZif2" + bytes(15) + counts + kind
        new = zones / "new"
        new.write_bytes(block + block + f"\nZON-{hours}\n".encode())
        new.rename(zones / "Europe" / "Zurich")
        env = os.environ | {"PYTHONTZPATH": str(zones)}
        done = run(
            *(sys.executable, "-m", "feeds", "export", out, "--catalogue", file, "--no-pages"),
            env=env,
        )
        assert done.returncode == 0, done.stderr
        found.append((out / "atom.xml").read_text())
    for hours, text in enumerate(found, 1):
        assert f"<published>2022-01-31T10:00:00+0{hours}:00</published>" in text

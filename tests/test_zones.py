"""The site's time zone is that of a place, and the same one on every machine."""

import pytest

from feeds.catalogue import read_catalogue
from feeds.errors import CatalogueError

SITE = (
    "site: {{title: T, url: 'https://e.org/', id: 'tag:e.org,2021:t', timezone: {}}}\nentries: []\n"
)


def read(zone: str) -> str:
    """Give the zone that a catalogue has, or what is wrong with it."""
    try:
        catalogue = read_catalogue([("f.yaml", SITE.format(zone).encode())])
    except CatalogueError as error:
        [problem] = error.problems
        return problem.message
    return catalogue.site.timezone.key


@pytest.mark.parametrize("zone", ["Europe/Zurich", "UTC", "Etc/GMT-2", "GMT+0", "EST"])
def test_a_zone_is_known_by_its_name(zone: str) -> None:
    """Every zone that has one meaning is taken."""
    assert read(zone) == zone


@pytest.mark.parametrize(
    "zone", ["localtime", "posixrules", "Factory", "GMT+2", "UTC-05:30", "+02:00"]
)
def test_what_differs_from_machine_to_machine_is_no_zone(zone: str) -> None:
    """A name that means what a machine is set to is refused; so is an offset, for which none is proposed."""
    assert read(zone) == f"no time zone is called {zone!r}; write it like Asia/Jakarta"


@pytest.mark.parametrize("zone", ["right/UTC", "posix/Europe/Zurich"])
def test_another_table_of_zones_is_none(zone: str) -> None:
    """A zone under another table's name is told by its own."""
    assert read(zone) == f"no time zone is called {zone!r}; did you mean {zone.partition('/')[2]}?"

"""What a time zone's rules are, so that drafts are read anew when they change."""

from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo


def zone_rules(zone: ZoneInfo) -> bytes:
    """Give a zone's name and the file of its rules, where the system has one.

    Otherwise its rules are those of an installed package.
    """
    files = (Path(folder) / zone.key for folder in TZPATH)
    file = next((file for file in files if file.is_file()), None)
    return zone.key.encode() + (file.read_bytes() if file else b"")

"""What is at a path or an address → a Source, whatever kind it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from feeds.errors import UsageError
from feeds.importer.data_file import read_data
from feeds.importer.feed import read_feed
from feeds.importer.fetch import Fetched, Fetcher, read_file
from feeds.importer.items import Source
from feeds.importer.json_document import is_json_feed
from feeds.importer.markdown_folder import read_markdown
from feeds.importer.wordpress import is_wordpress, read_wordpress

_ADDRESS = ("http://", "https://")
_DATA = (".csv", ".json", ".tsv", ".yaml", ".yml")
_BLANK = b"\xef\xbb\xbf \t\r\n"


class DataOptions(NamedTuple):
    """How a data file is read: the paths of fields, the encoding of CSV, the format of dates.

    `url` is the address of its site, if no configuration near it has one.
    """

    paths: Mapping[str, str] = {}
    encoding: str = "utf-8"
    date_format: str = ""
    url: str = ""


def read_source(where: str, options: DataOptions) -> Source:
    """Return what a source says: a file, a folder of Markdown, or an address.

    Raises FeedsError if it cannot be read, or UsageError if an option is for another
    kind of source.
    """
    if where.startswith(_ADDRESS):
        fetcher = Fetcher(where)
        return _read(fetcher.first(), options, fetcher)
    path = Path(where)
    if path.is_dir():
        _refuse_options(options, where)
        return read_markdown(path, options.url)
    return _read(read_file(path), options, None)


def _read(page: Fetched, options: DataOptions, fetcher: Fetcher | None) -> Source:
    ending = Path(urlsplit(page.name).path).suffix.lower()
    # In UTF-16 and UTF-32, other bytes are around it.
    is_xml = b"<" in page.data.lstrip(_BLANK)[:8] and ending not in _DATA
    if not is_xml and not _is_json_feed(page.data):
        return read_data(
            page.name,
            page.data,
            options.paths,
            encoding=options.encoding,
            date_format=options.date_format,
            url=options.url,
            folder=None if fetcher else Path(page.name).parent,
        )
    _refuse_options(options, page.name)
    if is_wordpress(page.data):
        return read_wordpress(page.name, page.data)
    return read_feed(page, fetcher.next if fetcher else _no_further_page)


def _is_json_feed(data: bytes) -> bool:
    if data.lstrip(_BLANK)[:1] != b"{" or b"jsonfeed.org/version/" not in data:
        return False
    try:
        return is_json_feed(json.loads(data))
    except (ValueError, RecursionError):
        # The reader of data files reports where it is wrong.
        return False


def _refuse_options(options: DataOptions, name: str) -> None:
    if options._replace(url="") != DataOptions():
        raise UsageError(f"{name} is not a YAML, JSON or CSV file: its fields need no options")


def _no_further_page(_link: str, _page: Fetched) -> Fetched | None:
    """Return None: from a file, nothing is fetched."""
    return None

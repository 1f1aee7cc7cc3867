from collections.abc import Mapping

from feeds.importer.items import Source


def read_data(
    name: str,
    data: bytes,
    paths: Mapping[str, str],
    *,
    encoding: str = "utf-8",
    date_format: str = "",
) -> Source:
    raise NotImplementedError

from pathlib import Path

from feeds.importer.items import Source


def read_markdown(folder: Path) -> Source:
    raise NotImplementedError

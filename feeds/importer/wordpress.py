from feeds.importer.items import Source


def is_wordpress(data: bytes) -> bool:
    return False


def read_wordpress(name: str, data: bytes, url: str = "") -> Source:
    raise NotImplementedError

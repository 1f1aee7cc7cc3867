"""The HTML that a person reads: the news by month with its archive, and a page for each entry.

`Pages` is imported when it is first used, so that `feeds.pages.overrides` costs no Jinja.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.pages.site_pages import Pages

__all__ = ["Pages"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'feeds.pages' has no attribute {name!r}")
    return getattr(import_module("feeds.pages.site_pages"), name)

"""What the configuration of a site generator says of its site.

Known are those of Jekyll, Hugo and Eleventy, and the Python files of Pelican and Nikola,
of which only assigned constants are read: nothing is run.
"""

import ast
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from feeds.catalogue.known_keys import without_separators
from feeds.errors import FeedsError
from feeds.importer.items import Remark
from feeds.importer.json_nodes import read_json
from feeds.importer.markdown_texts import shown
from feeds.importer.nodes import Fields, Items, Node, SyntaxFault, Text, decoded
from feeds.importer.yaml_nodes import read_yaml
from feeds.urls import web_host

JEKYLL = "jekyll"
ELEVENTY = "eleventy"
_HUGO_NAMES = [
    f"{folder}{stem}.{ending}"
    for stem in ("hugo", "config")
    for ending in ("toml", "yaml", "yml", "json")
    for folder in ("", "config/_default/")
]
_ELEVENTY_NAMES = [
    f"{folder}_data/{stem}.{ending}"
    for stem in ("metadata", "site")
    for ending in ("json", "yaml", "yml")
    for folder in ("", "src/")
]
# By the path of the file; in a folder, the first that is there counts.
_GENERATORS = {
    **dict.fromkeys(("_config.yml", "_config.yaml"), JEKYLL),
    **dict.fromkeys(_HUGO_NAMES, "hugo"),
    **dict.fromkeys(_ELEVENTY_NAMES, ELEVENTY),
    "pelicanconf.py": "pelican",
    "conf.py": "nikola",
}
# Only the generator has a file of this name.
_OWN_NAMES = frozenset(("_config.yml", "_config.yaml", "hugo.toml", "hugo.yaml", "pelicanconf.py"))
# How many folders above are searched.
_MAX_LEVELS = 3
_MAX_BYTES = 1_000_000
# The keys of a site, by those of the generators, without separators.
_KEYS = {
    "title": "title sitename blogtitle name",
    "description": "description blogdescription sitesubtitle tagline",
    "language": "lang language languagecode defaultlang defaultcontentlanguage locale",
    "timezone": "timezone",
    "author": "author blogauthor",
}
_ADDRESSES = ("url", "baseurl", "siteurl")


class SiteConfig(NamedTuple):
    """Which generator a site has, and keys of the catalogue's section `site`.

    `remarks` has one if there is a configuration that cannot be read.
    """

    generator: str = ""
    site: Mapping[str, object] = {}
    remarks: tuple[Remark, ...] = ()


def config_near(folder: Path) -> SiteConfig:
    """Return the configuration in a folder, or in the nearest folder above that has one."""
    folder = folder.absolute()
    for level in (folder, *folder.parents[:_MAX_LEVELS]):
        for name, generator in _GENERATORS.items():
            try:
                site = _site(_values(level / name))
            except SyntaxFault as error:
                if name not in _OWN_NAMES:
                    continue
                message = f"{error.fault}; the title and the address of the site are not read"
                return SiteConfig(remarks=(Remark(f"{level / name}:{error.line}", message),))
            except FeedsError:
                continue
            # A file of another program may have one of the other names.
            if site.get("url") or (site.get("title") and name in _OWN_NAMES):
                return SiteConfig(generator, site)
    return SiteConfig()


def nodes_of(value: object, line: int = 1) -> Node:
    """Return a value that a library has read, from TOML or Python, as nodes."""
    if isinstance(value, dict):
        return Fields(line, {str(key): nodes_of(inner, line) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return Items(line, tuple(nodes_of(inner, line) for inner in value))
    if isinstance(value, bool):
        return Text(line, str(value).lower())
    return Text(line, "" if value is None else str(value))


def _values(path: Path) -> Mapping[str, Node]:
    """Return the pairs of a configuration; empty if there is none. Raises SyntaxFault."""
    with suppress(OSError, ValueError, SyntaxError, RecursionError):
        if path.stat().st_size <= _MAX_BYTES:
            root = _READERS[path.suffix](path.name, decoded(path.name, path.read_bytes()))
            return root.values if isinstance(root, Fields) else {}
    return {}


def _read_toml(name: str, text: str) -> Node:
    try:
        return nodes_of(tomllib.loads(text))
    except ValueError as error:
        raise SyntaxFault(name, 1, f"is not valid TOML: {error}") from None


def _read_python(_name: str, text: str) -> Node:
    """Return the constants that Python code assigns."""
    found: dict[str, object] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names = [name.id for name in statement.targets if isinstance(name, ast.Name)]
            found |= dict.fromkeys(names, statement.value.value)
    return nodes_of(found)


_READERS: Mapping[str, Callable[[str, str], Node]] = {
    ".json": read_json,
    ".py": _read_python,
    ".toml": _read_toml,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


def _site(values: Mapping[str, Node]) -> Mapping[str, object]:
    by_word = {without_separators(key): node for key, node in values.items()}
    params = by_word.get("params")
    inner = params.values if isinstance(params, Fields) else {}
    by_word = {without_separators(key): node for key, node in inner.items()} | by_word
    nodes = {
        key: next((by_word[word] for word in words.split() if word in by_word), Text(0, ""))
        for key, words in _KEYS.items()
    }
    site = {
        "title": _text(nodes["title"]),
        "url": _address([_text(by_word.get(word, Text(0, ""))) for word in _ADDRESSES]),
        "description": _text(nodes["description"]),
        "language": _text(nodes["language"]),
        "timezone": _text(nodes["timezone"]),
        "author": _author(nodes["author"]),
    }
    return {key: value for key, value in site.items() if value}


def _text(node: Node) -> str:
    return shown(node.value).text if isinstance(node, Text) else ""


def _address(parts: list[str]) -> str:
    """Return the address of a site: Jekyll has a path in `baseurl`, Hugo the address."""
    address = next(filter(web_host, parts), "")
    path = next((part for part in parts if part.startswith("/")), "")
    with suppress(ValueError):
        joined = f"{address.rstrip('/')}{path}".rstrip("/")
        if "." in (urlsplit(joined).hostname or ""):
            return urljoin(f"{joined}/", "")
    return ""


def _author(node: Node) -> object:
    if not isinstance(node, Fields):
        return _text(node)
    found = {key: _text(node.values.get(key, Text(0, ""))) for key in ("name", "email")}
    return {key: value for key, value in found.items() if value} if found["name"] else ""

"""Renders the pages' Jinja templates: the shipped ones, and those of a folder that override them."""

from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FunctionLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)

from feeds.errors import FeedsError
from feeds.pages.overrides import template_files
from feeds.pages.schema_org import to_json

# A shipped template, also one that is overridden, is `feeds/` and its name.
_SHIPPED = "feeds"

_Source = tuple[str, str, None]


class Templates:
    """The templates of a site. `values` and `filters` are known to all of them, by their names.

    The folder is read once, when this is created.
    """

    def __init__(
        self, folder: Path | None, values: Mapping[str, Any], filters: Mapping[str, Any]
    ) -> None:
        self._overrides = _Overrides(folder)
        shipped = PackageLoader("feeds.pages")
        environment = _Environment(
            loader=ChoiceLoader(
                [
                    PrefixLoader({_SHIPPED: shipped}),
                    FunctionLoader(self._overrides.source),
                    shipped,
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            # There are few templates: keep them all, without the bookkeeping of a cache.
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.globals |= values
        environment.filters |= filters
        environment.policies["json.dumps_function"] = to_json
        environment.policies["json.dumps_kwargs"] = {}
        self._environment = environment

    def render(self, name: str, /, **values: object) -> bytes:
        """Return what a template makes of some values, without the line break at its end.

        Raises:
            FeedsError: There is an error in a template of the folder.
        """
        try:
            text = self._environment.get_template(name).render(values)
        except Exception as error:
            if place := self._overrides.place(error):
                raise FeedsError(f"{place}: {_message(error)}") from error
            raise
        return text.removesuffix("\n").encode()


class _Environment(Environment):
    """An environment in which all templates have the same globals."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja's own ChainMap is copied for each page, which takes as long as rendering an item.
        return self.globals if d is None else super().make_globals(d)


class _Overrides:
    """The templates of a folder, and where in them an error is."""

    def __init__(self, folder: Path | None) -> None:
        self._files = template_files(folder) if folder else {}
        self._paths = {name: str((folder or Path()) / name) for name in self._files}

    def source(self, name: str) -> _Source | None:
        """Return the source of a template and its path; None if the folder has none of this name."""
        body = self._files.get(name)
        if body is None:
            return None
        try:
            return body.decode(), self._paths[name], None
        except UnicodeDecodeError as error:
            line = body.count(b"\n", 0, error.start) + 1
            raise TemplateSyntaxError("not UTF-8", line, name, self._paths[name]) from None

    def place(self, error: Exception) -> str:
        """Return `FILE:LINE` of an error's innermost place in these templates; '' if it has none."""
        ours = {*self._paths.values()}
        if isinstance(error, TemplateSyntaxError):
            # Jinja's lexer gives some errors the file as their name.
            file = error.filename or error.name
            if file in ours:
                return f"{file}:{error.lineno}"
        found = [place for place in _places(error.__traceback__) if place[0] in ours]
        return ":".join(map(str, found[-1])) if found else ""


def _places(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    """Yield the file and the line of each call, the outermost first.

    Jinja writes into a traceback the file and the line of each template.
    """
    while traceback:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _message(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"template '{error}' not found"
    if isinstance(error, RecursionError):
        return f"extends, includes or calls itself; a shipped template is '{_SHIPPED}/…'"
    text = " ".join(str(error).split())
    return text if isinstance(error, TemplateError) else f"{type(error).__name__}: {text}"

"""The configuration of each web server and host, made from a template and the serving rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from feeds.errors import FeedsError
from feeds.export import CODINGS
from feeds.export.hosts import FileRule, RedirectRule, ServingRules
from feeds.export.safe_folder import EXPORT_FOLDER
from feeds.headers import is_page, pays
from feeds.plans import Plan
from feeds.urls import HOST_HEADERS, HOST_REDIRECTS, INDEX, NOT_FOUND_PAGE, is_folder

_NGINX = f"{EXPORT_FOLDER}/nginx.conf"
_APACHE = ".htaccess"
_CADDY = f"{EXPORT_FOLDER}/Caddyfile"
# Characters that Caddy decodes before it compares a path; it compares others encoded.
_CADDY_DECODED = "".join(sign for sign in map(chr, range(0x20, 0x7F)) if sign not in "%{}")
# https://developers.cloudflare.com/pages/configuration/headers/
_CLOUDFLARE_MAX_HEADER_RULES = 100
# https://developers.cloudflare.com/pages/configuration/redirects/
_CLOUDFLARE_MAX_REDIRECTS = 2000
_CLOUDFLARE_MAX_FOLDER_REDIRECTS = 100
# Without this file, GitHub Pages leaves out files whose names begin with a dot or `_`.
_NO_JEKYLL = ".nojekyll"
_REDIRECT_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<title>{address}</title>
<link rel="canonical" href="{address}">
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">{address}</a>
</html>
"""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _caddy_pattern(path: str) -> str:
    # In an imported file, Caddy removes the backslash before a brace.
    return re.escape(path).replace(r"\{", r"\x7b").replace(r"\}", r"\x7d")


_TEMPLATES = Environment(
    loader=PackageLoader("feeds.export.hosts"),
    autoescape=False,  # noqa: S701  # these are not HTML
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {
    "quoted": _quoted,
    "percent_encoded": quote,
    "caddy_pattern": _caddy_pattern,
    "caddy_path": lambda path: quote(path, safe=_CADDY_DECODED),
}
_TEMPLATES.globals |= {"index": INDEX, "codings": CODINGS}


def _render(template: str, rules: ServingRules, **values: object) -> bytes:
    return _TEMPLATES.get_template(template).render(rules=rules, **values).encode()


def _nginx(rules: ServingRules) -> dict[str, bytes | Plan]:
    types = {rule.media_type.partition(";")[0] for rule in rules.files if pays(rule.media_type)}
    # Named locations: a server block may include several sites.
    preflight, gone = (f"@{name}:{quote(rules.root)}" for name in ("feeds", "feeds-gone"))
    targets = {
        status: gone if rules.has_moved else _quoted(rules.root + path)
        for status, path in rules.error_pages.items()
    }
    configuration = _render(
        "nginx.conf",
        rules,
        file=_NGINX,
        # For OPTIONS requests.
        preflight=preflight,
        # For the page of gone addresses, at whose own address there is a redirect.
        gone=gone,
        # nginx always compresses HTML, and warns if it is listed.
        gzip_types=sorted(types - {"text/html"}),
        # nginx cannot escape a dollar in this directive.
        error_pages={} if "$" in rules.root else targets,
        add_slash=_nginx_rewrite(rules.root, "(.*[^/])", rules.url(""), "$1/"),
        redirects=[row for redirect in rules.redirects for row in _nginx_rows(redirect, rules)],
    )
    return {_NGINX: configuration, **rules.remaining}


def _nginx_rows(redirect: RedirectRule, rules: ServingRules) -> Iterator[tuple[str, str, str]]:
    """Yield the modifier, the path and the action of each location of a redirect."""
    old = rules.root + redirect.old
    if redirect.new is None:
        action = "return 410;"
    else:
        action = f"return 301 {_quoted(rules.url(redirect.new))};"
    if redirect.new is not None and redirect.keeps_rest:
        # For the site as a whole, other locations of the server block come first.
        modifier = "^~" if redirect.old else ""
        yield modifier, old, _nginx_rewrite(old, "(.*)", rules.url(redirect.new), "$1")
    elif redirect.is_folder:
        yield "^~", old, action
    if redirect.without_slash or not redirect.is_folder:
        yield "=", old.removesuffix("/"), action


def _nginx_rewrite(folder: str, pattern: str, url: str, rest: str) -> str:
    target = url.replace("$", "%24") + rest
    return (
        f"rewrite {_quoted(f'^{re.escape(folder)}{pattern}$')} {_quoted(f'{target}?')} permanent;"
    )


def _apache(rules: ServingRules) -> dict[str, bytes | Plan]:
    def name_pattern(rule: FileRule) -> str:
        start = "" if rule.is_extension else "^"
        coded = r"(\.br|\.gz)?" * rules.compressed
        return f"{start}{re.escape(rule.ending)}{coded}$"

    configuration = _render(
        "htaccess",
        rules,
        name_pattern=name_pattern,
        redirects=[_apache_redirect(redirect, rules) for redirect in rules.redirects],
        add_slash=_apache_target(rules, "", "$1/"),
    )
    return {_APACHE: configuration, **rules.remaining}


def _apache_redirect(redirect: RedirectRule, rules: ServingRules) -> tuple[str, str]:
    """Return the pattern and the target of a RewriteRule."""
    below = "(?:/(.*))?" if redirect.without_slash else "/(.*)" if redirect.is_folder else ""
    if not redirect.old:
        below = "(.*)"
    # mod_rewrite cannot escape a quote in a pattern.
    pattern = re.escape(redirect.old.removesuffix("/")).replace('"', r"\x22")
    target = "- [G]"
    if redirect.new is not None:
        target = _apache_target(rules, redirect.new, "$1" * redirect.keeps_rest)
    return f"^{pattern}{below}$", target


def _apache_target(rules: ServingRules, path: str, rest: str) -> str:
    # Not encoded: Apache encodes the whole URL.
    escaped = re.sub(r"([\\$%])", r"\\\1", rules.new_root + path)
    return f"{_quoted(rules.origin + escaped + rest)} [R=301,L,QSD]"


def _caddy(rules: ServingRules) -> dict[str, bytes | Plan]:
    if {*"{}"} & {*rules.root}:
        raise FeedsError(f"{rules.root!r}: Caddy cannot be configured for such a path")
    page = next((rule for rule in rules.files if rule.is_page), None)
    configuration = _render("Caddyfile", rules, file=_CADDY, page=page)
    return {_CADDY: configuration, **rules.remaining}


def _netlify(rules: ServingRules) -> dict[str, bytes]:
    """Return the files of Netlify, where a retired path needs no rule: the answer is 404."""
    return _headers_and_redirects(rules, _path_shapes, "301!")


def _cloudflare(rules: ServingRules) -> dict[str, bytes]:
    """Return the files of Cloudflare Pages: as for Netlify, within Cloudflare's limits."""
    files = _headers_and_redirects(rules, _path_patterns, "301")
    if files[HOST_HEADERS].count(b"\n/") > _CLOUDFLARE_MAX_HEADER_RULES:
        raise FeedsError(
            f"{HOST_HEADERS}: Cloudflare Pages accepts {_CLOUDFLARE_MAX_HEADER_RULES} rules;"
            " give all pictures of one type the same extension"
        )
    folders = files[HOST_REDIRECTS].count(b"* ")
    paths = files[HOST_REDIRECTS].count(b"\n/") - folders
    if folders > _CLOUDFLARE_MAX_FOLDER_REDIRECTS or paths > _CLOUDFLARE_MAX_REDIRECTS:
        raise FeedsError(
            f"{HOST_REDIRECTS}: Cloudflare Pages accepts {_CLOUDFLARE_MAX_FOLDER_REDIRECTS} moved"
            f" folders and {_CLOUDFLARE_MAX_REDIRECTS} moved paths; site.moved has more"
        )
    return files


def _headers_and_redirects(
    rules: ServingRules,
    paths: Callable[[FileRule, ServingRules], Iterable[str]],
    status: str,
) -> dict[str, bytes]:
    """Return the files `_headers` and `_redirects`; raises FeedsError if the site's URL has a path."""
    if rules.root != "/":
        raise FeedsError(
            f"{rules.served_url}: this host publishes the folder at the root of a domain,"
            " so the URL must not have a path; give another URL with --url"
        )
    return {
        HOST_HEADERS: _render("_headers", rules, paths=paths),
        HOST_REDIRECTS: _render(
            "_redirects", rules, redirects=_redirect_lines(rules), status=status
        ),
    }


def _path_shapes(rule: FileRule, rules: ServingRules) -> Iterator[str]:
    """Yield the shape of each path that a rule matches, with `:name` for each variable part."""
    shapes = set()
    for path in rules.documents:
        *folders, name = path.split("/")
        if name.endswith(rule.ending) if rule.is_extension else name == rule.ending:
            parts = [f":part{depth}" if depth % 2 else part for depth, part in enumerate(folders)]
            shapes.add("/" + "/".join([*parts, quote(name)]))
    for shape in sorted(shapes):
        if rule.is_page and shape.endswith(f"/{INDEX}"):
            yield shape.removesuffix(INDEX)
        yield shape


def _path_patterns(rule: FileRule, rules: ServingRules) -> Iterator[str]:
    """Yield the addresses that a rule matches; at Cloudflare a star matches slashes, too."""
    if not rule.is_extension:
        yield from _path_shapes(rule, rules)
        return
    if rule.is_page:
        yield from ("/", "/*/")
    yield f"/*{quote(rule.ending)}"


def _redirect_lines(rules: ServingRules) -> Iterator[tuple[str, str]]:
    """Yield the old and the new address of each redirect.

    Folders come last: otherwise `feed` would match a rule for what is below `feed/`.
    Cloudflare requires this order as well.
    """
    folders = []
    for redirect in rules.redirects:
        if redirect.new is None:
            continue
        old, new = f"/{quote(redirect.old)}", rules.url(redirect.new)
        if redirect.without_slash or not redirect.is_folder:
            yield old.removesuffix("/"), new
        if redirect.is_folder:
            folders.append((f"{old}*", new + ":splat" * redirect.keeps_rest))
    yield from folders


def _github_pages(rules: ServingRules) -> Mapping[str, bytes | Plan]:
    """Return the files of GitHub Pages, where neither headers nor redirects can be configured.

    There is a redirecting page for each address of a moved page, and a copy of each other
    moved document, and of the page that is sent for all paths without a file.
    Raises FeedsError where a file and a folder would have the same name.
    """
    found: dict[str, bytes | Plan] = {_NO_JEKYLL: b""}
    # For each path, the path in the catalogue or of the document that requires it.
    origins = {path: path for path in rules.documents if not rules.has_moved}
    for redirect in rules.redirects:
        for old, document in _moved_documents(redirect, rules):
            # The first redirect is the one with the longest path.
            if old not in origins:
                origins[old] = redirect.old
                found[old] = _file_at(old, document, rules)
    for path, origin in origins.items():
        folder = path
        while folder := folder.rpartition("/")[0]:
            if folder in origins:
                raise FeedsError(
                    f"{origins[folder]!r} and {origin!r}: GitHub Pages cannot have"
                    f" a file and a folder of the name {folder!r}"
                )
    return found


def _moved_documents(redirect: RedirectRule, rules: ServingRules) -> Iterator[tuple[str, Plan]]:
    """Yield each old path that a redirect covers, with the document at the new path."""
    if redirect.new is None:
        return
    if not redirect.keeps_rest:
        document = rules.documents.get(redirect.new + INDEX * is_folder(redirect.new))
        if document:
            yield redirect.old + INDEX * redirect.is_folder, document
        return
    for path, document in rules.documents.items():
        if path.startswith(redirect.new):
            yield redirect.old + path.removeprefix(redirect.new), document


def _file_at(old: str, document: Plan, rules: ServingRules) -> bytes | Plan:
    is_shown = is_page(document.media_type) or old.endswith(INDEX)
    if not is_shown or document.path == NOT_FOUND_PAGE:
        return document
    address = escape(rules.site.address(document.path.removesuffix(INDEX)))
    return _REDIRECT_PAGE.format(language=escape(rules.site.language), address=address).encode()


# By the names of `--host`.
HOSTS: Mapping[str, Callable[[ServingRules], Mapping[str, bytes | Plan]]] = {
    "nginx": _nginx,
    "apache": _apache,
    "caddy": _caddy,
    "netlify": _netlify,
    "cloudflare-pages": _cloudflare,
    "github-pages": _github_pages,
}

"""The feeds of sites that were published by other programs, at the addresses that these use.

`hugo`, `pelican`, `nikola` and `eleventy` run the program; the other sites are written here in
the manner of a program that is not run.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import NamedTuple

import cmarkgfm
from conftest import ROOT, program, run


class Post(NamedTuple):
    """A post, as its author has written it."""

    slug: str
    title: str
    date: datetime
    tags: tuple[str, ...]
    text: str
    summary: str = ""
    updated: datetime | None = None

    @property
    def dates(self) -> tuple[datetime, datetime]:
        """The date of publication and that of the last change."""
        return self.date, self.updated or self.date

    @property
    def html(self) -> str:
        return str(cmarkgfm.markdown_to_html(self.text)).strip()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# The newest first, as in a feed.
POSTS = (
    Post(
        "harvest-2022",
        "Harvest: “good”, R&D says 🌾",
        _at("2022-09-03T16:45:10+02:00"),
        ("Farming",),
        "More than *last* year.\n\n- wheat\n- rye\n",
        "A short text.",
    ),
    Post(
        "boats",
        "Boats for all",
        _at("2022-06-01T08:00:00+02:00"),
        ("Water", "Relief"),
        "![Two boats](/images/boats.jpg)\n\nThey [arrive](https://example.org/a?b=1&c=2).\n",
    ),
    Post(
        "floods",
        "Floods & storms: is 1 < 2?",
        _at("2022-05-24T09:00:00+02:00"),
        ("Water", "Relief"),
        "What **helps**, and what `does_not`.\n",
        "Two sentences. The second.",
        _at("2022-05-30T10:30:00+02:00"),
    ),
    Post("rain", "Rain", _at("2022-05-24T07:00:00+02:00"), ("Water",), "A day before.\n"),
    Post("first", "First", _at("2021-12-31T23:30:00+01:00"), (), "The first text.\n"),
)

# The bytes of a feed by its path below the site's address, `url`, which ends in `/`.
Feeds = Mapping[str, bytes]
Maker = Callable[[Path, str], Feeds]


def _feeds(folder: Path, *paths: str) -> Feeds:
    return {path: (folder / path).read_bytes() for path in paths}


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _run(folder: Path, *command: str | Path, **env: str) -> None:
    done = run(*command, cwd=folder, env=os.environ | env)
    assert done.returncode == 0, done.stdout + done.stderr


def _front_matter(post: Post, more: str = "") -> str:
    tags = ", ".join(post.tags)
    title = post.title.replace('"', '\\"')
    return f'---\ntitle: "{title}"\ndate: {post.date.isoformat()}\ntags: [{tags}]\n{more}---\n'


def hugo(folder: Path, url: str) -> Feeds:
    """Make a site with Hugo, and the template for RSS that it contains."""
    posts = {
        f"content/posts/{post.slug}.md": _front_matter(
            post, f"lastmod: {post.updated.isoformat()}\n" if post.updated else ""
        )
        + post.text
        for post in POSTS
    }
    config = f'baseURL = "{url}"\ntitle = "Old news"\nlanguageCode = "en-GB"\n'
    _write(folder, {"hugo.toml": config, **posts})
    _run(folder, program("hugo"), "--quiet")
    return _feeds(folder / "public", "index.xml")


def pelican(folder: Path, url: str) -> Feeds:
    """Make a site with Pelican, whose feeds have tag URIs."""
    posts = {}
    for post in POSTS:
        meta = {
            "Title": post.title,
            "Date": f"{post.date:%Y-%m-%d %H:%M:%S}",
            "Slug": post.slug,
            "Category": "News",
            "Tags": ", ".join(post.tags),
            "Modified": f"{post.updated:%Y-%m-%d %H:%M:%S}" if post.updated else "",
            "Summary": post.summary,
        }
        head = "".join(f"{key}: {value}\n" for key, value in meta.items() if value)
        posts[f"content/{post.slug}.md"] = f"{head}\n{post.text}"
    config = (
        f'SITENAME = "Old news"\nSITEURL = "{url.rstrip("/")}"\nTIMEZONE = "Europe/Zurich"\n'
        'DEFAULT_LANG = "en"\nAUTHOR = "The office"\nFEED_DOMAIN = SITEURL\n'
        'FEED_ALL_ATOM = "feeds/all.atom.xml"\nFEED_ALL_RSS = "feeds/all.rss.xml"\n'
    )
    _write(folder, {"conf.py": config, **posts})
    _run(folder, program("pelican"), "content", "-o", "out", "-s", "conf.py", "-q")
    return _feeds(folder / "out", "feeds/all.atom.xml", "feeds/all.rss.xml")


def nikola(folder: Path, url: str) -> Feeds:
    """Make a site with Nikola."""
    posts = {}
    for post in POSTS:
        meta = {
            "title": post.title,
            "slug": post.slug,
            "date": post.date.isoformat(" "),
            "tags": ", ".join(post.tags),
            "updated": post.updated.isoformat(" ") if post.updated else "",
            "description": post.summary,
        }
        head = "".join(f".. {key}: {value}\n" for key, value in meta.items() if value)
        posts[f"posts/{post.slug}.md"] = f"<!--\n{head}-->\n\n{post.text}"
    config = (
        f'BLOG_TITLE = "Old news"\nBLOG_AUTHOR = "The office"\nSITE_URL = "{url}"\n'
        'BLOG_EMAIL = "office@example.org"\nBLOG_DESCRIPTION = "What was."\nTHEME = "base"\n'
        'DEFAULT_LANG = "en"\nTRANSLATIONS = {"en": ""}\nTIMEZONE = "Europe/Zurich"\n'
        'POSTS = (("posts/*.md", "posts", "post.tmpl"),)\nPAGES = ()\n'
        'COMPILERS = {"markdown": [".md"]}\nGENERATE_ATOM = True\n'
    )
    _write(folder, {"conf.py": config, **posts})
    _run(folder, program("nikola"), "build", "-q")
    return _feeds(folder / "output", "rss.xml", "index.atom")


def eleventy(folder: Path, url: str) -> Feeds:
    """Make a site with Eleventy and its plugin for feeds."""
    own = ROOT / "tests" / "eleventy"
    posts = {
        f"posts/{post.slug}.md": _front_matter(post._replace(tags=("posts", *post.tags)))
        + post.text
        for post in POSTS
    }
    _write(folder, posts)
    _run(
        folder,
        program(str(own / "node_modules" / ".bin" / "eleventy")),
        f"--config={own / 'eleventy.config.mjs'}",
        "--input=.",
        "--output=out",
        "--quiet",
        SITE_URL=url,
    )
    return _feeds(folder / "out", "feed/feed.xml", "feed/rss.xml", "feed/feed.json")


def jekyll(_folder: Path, url: str) -> Feeds:
    """Return what the plugin jekyll-feed writes: ids without an ending, and all as HTML."""
    entries = []
    for post in POSTS:
        path = f"{url}{post.date:%Y/%m/%d}/{post.slug}"
        title = escape(escape(post.title, quote=False))
        picture = f"{url}images/boats.jpg"
        media = (
            f'<media:thumbnail xmlns:media="http://search.yahoo.com/mrss/" url="{picture}" />'
            f'<media:content medium="image" url="{picture}"'
            ' xmlns:media="http://search.yahoo.com/mrss/" />'
        )
        entries.append(
            f'<entry><title type="html">{title}</title><link href="{path}.html" rel="alternate"'
            f' type="text/html" title="{title}" /><published>{post.date.isoformat()}</published>'
            f"<updated>{(post.updated or post.date).isoformat()}</updated><id>{path}</id>"
            f'<content type="html" xml:base="{path}.html"><![CDATA[{post.html}]]></content>'
            "<author><name>The office</name></author>"
            + "".join(f'<category term="{tag}" />' for tag in post.tags)
            + f'<summary type="html"><![CDATA[{post.summary or post.title}]]></summary>'
            + (media if "boats.jpg" in post.text else "")
            + "</entry>"
        )
    feed = (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        ' xml:lang="en"><generator uri="https://jekyllrb.com/" version="4.3.2">Jekyll</generator>'
        f'<link href="{url}feed.xml" rel="self" type="application/atom+xml" />'
        f'<link href="{url}" rel="alternate" type="text/html" hreflang="en" />'
        f"<updated>2022-09-05T12:00:00+02:00</updated><id>{url}feed.xml</id>"
        '<title type="html">Old news</title><subtitle>What was.</subtitle>'
        f"<author><name>The office</name></author>{''.join(entries)}</feed>"
    )
    return {"feed.xml": feed.encode()}


def wordpress(_folder: Path, url: str) -> Feeds:
    """Return what WordPress writes: ids with the number of the post, in RSS no permalinks."""
    items: list[str] = []
    entries: list[str] = []
    for number, post in enumerate(reversed(POSTS), 12):
        link, guid = f"{url}{post.date:%Y/%m}/{post.slug}/", f"{url}?p={number}"
        excerpt = post.summary or "An excerpt [&#8230;]"
        body = f"{post.html}\n"
        items.insert(
            0,
            f"<item><title>{escape(post.title, quote=False)}</title><link>{link}</link>"
            f"<comments>{link}#respond</comments>"
            f"<dc:creator><![CDATA[The office]]></dc:creator>"
            f"<pubDate>{format_datetime(post.date.astimezone(UTC))}</pubDate>"
            + "".join(f"<category><![CDATA[{tag}]]></category>" for tag in post.tags)
            + f'<guid isPermaLink="false">{guid}</guid>'
            f"<description><![CDATA[{excerpt}]]></description>"
            f"<content:encoded><![CDATA[{body}]]></content:encoded>"
            f"<wfw:commentRss>{link}feed/</wfw:commentRss><slash:comments>0</slash:comments></item>",
        )
        dates = [when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for when in post.dates]
        entries.insert(
            0,
            "<entry><author><name>The office</name></author>"
            f'<title type="html"><![CDATA[{escape(post.title, quote=False)}]]></title>'
            f'<link rel="alternate" type="text/html" href="{link}" /><id>{guid}</id>'
            f"<updated>{dates[1]}</updated><published>{dates[0]}</published>"
            + "".join(f'<category scheme="{url[:-1]}" term="{tag}" />' for tag in post.tags)
            + f'<summary type="html"><![CDATA[{excerpt}]]></summary>'
            f'<content type="html" xml:base="{link}"><![CDATA[{body}]]></content>'
            f'<link rel="replies" type="text/html" href="{link}#comments" thr:count="0"/>'
            "<thr:total>0</thr:total></entry>",
        )
    rss = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:wfw="http://wellformedweb.org/CommentAPI/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
        ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel><title>Old news</title>'
        f'<atom:link href="{url}feed/" rel="self" type="application/rss+xml" />'
        f"<link>{url[:-1]}</link><description>What was.</description>"
        "<lastBuildDate>Sat, 03 Sep 2022 14:45:10 +0000</lastBuildDate><language>en-GB</language>"
        "<sy:updatePeriod> hourly </sy:updatePeriod>"
        f"<generator>https://wordpress.org/?v=6.4.2</generator>{''.join(items)}</channel></rss>"
    )
    atom = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="en-GB">'
        '<title type="text">Old news</title><subtitle type="text">What was.</subtitle>'
        "<updated>2022-09-03T14:45:10Z</updated>"
        f'<link rel="alternate" type="text/html" href="{url[:-1]}" /><id>{url}feed/atom/</id>'
        f'<link rel="self" type="application/atom+xml" href="{url}feed/atom/" />'
        f'<generator uri="https://wordpress.org/" version="6.4.2">WordPress</generator>'
        f"{''.join(entries)}</feed>"
    )
    return {"feed/": rss.encode(), "feed/atom/": atom.encode()}


def drupal(_folder: Path, url: str) -> Feeds:
    """Return what Drupal writes: ids that are not IRIs."""
    items: list[str] = []
    for number, post in enumerate(reversed(POSTS), 123):
        items.insert(
            0,
            f"<item><title>{escape(post.title, quote=False)}</title>"
            f"<link>{url}node/{number}</link><description>"
            + escape(f'<div class="text-formatted">{post.html}</div>')
            + f"</description><pubDate>{format_datetime(post.date)}</pubDate>"
            "<dc:creator>The office</dc:creator>"
            f'<guid isPermaLink="false">{number} at {url[:-1]}</guid></item>',
        )
    feed = (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/" xml:base="{url}"><channel>'
        f"<title>Old news</title><link>{url}</link><description/><language>en</language>"
        f"{''.join(items)}</channel></rss>"
    )
    return {"rss.xml": feed.encode()}


def blogger(_folder: Path, url: str) -> Feeds:
    """Return what Blogger writes: tag URIs, dates with milliseconds."""
    blog = "tag:blogger.com,1999:blog-7731"
    entries = []
    for number, post in enumerate(POSTS):
        dates = [when.isoformat(timespec="milliseconds") for when in post.dates]
        entries.append(
            f"<entry><id>{blog}.post-{9000 - number}</id><published>{dates[0]}</published>"
            f"<updated>{dates[1]}</updated>"
            + "".join(
                f'<category scheme="http://www.blogger.com/atom/ns#" term="{tag}"/>'
                for tag in post.tags
            )
            + f"<title type='text'>{escape(post.title, quote=False)}</title>"
            f"<content type='html'>{escape(post.html)}</content>"
            f"<link rel='self' type='application/atom+xml' href='{url}feeds/posts/{number}'/>"
            f"<link rel='alternate' type='text/html' href='{url}{post.date:%Y/%m}/{post.slug}.html'"
            f" title='x'/><author><name>The office</name>"
            "<uri>http://www.blogger.com/profile/1</uri>"
            "<email>noreply@blogger.com</email></author></entry>"
        )
    feed = (
        "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom'"
        " xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/'>"
        f"<id>{blog}</id><updated>2022-09-05T12:00:00.123+02:00</updated>"
        "<title type='text'>Old news</title><subtitle type='html'>What was.</subtitle>"
        "<link rel='http://schemas.google.com/g/2005#feed' type='application/atom+xml'"
        f" href='{url}feeds/posts/default'/>"
        f"<link rel='self' type='application/atom+xml' href='{url}feeds/posts/default'/>"
        f"<link rel='alternate' type='text/html' href='{url}'/>"
        "<author><name>The office</name></author>"
        "<openSearch:totalResults>5</openSearch:totalResults>"
        f"{''.join(entries)}</feed>"
    )
    return {"feeds/posts/default": feed.encode()}


def rdf(_folder: Path, url: str) -> Feeds:
    """Return RSS 1.0, in which an item has its id as an attribute."""
    links = [f"{url}article.php3?id={number}" for number in range(1, len(POSTS) + 1)]
    items = [
        f'<item rdf:about="{link}&amp;from=rss"><title>{escape(post.title)}</title>'
        f"<link>{link}</link><dc:date>{post.date.isoformat()}</dc:date>"
        f"<description>{escape(post.html)}</description>"
        + "".join(f"<dc:subject>{tag}</dc:subject>" for tag in post.tags)
        + "</item>"
        for post, link in zip(POSTS, links, strict=True)
    ]
    feed = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{url}"><title>Old news</title><link>{url}</link>'
        "<description>What was.</description><items><rdf:Seq>"
        + "".join(f'<rdf:li rdf:resource="{link}"/>' for link in links)
        + f"</rdf:Seq></items></channel>{''.join(items)}</rdf:RDF>"
    )
    return {"backend.php3": feed.encode()}


def without_ids(_folder: Path, url: str) -> Feeds:
    """Return RSS as small programs write it, without `guid`."""
    items = [
        f"<item><title>{escape(post.title)}</title><link>{url}news/{post.slug}.html</link>"
        f"<description>{escape(post.html)}</description>"
        f"<pubDate>{format_datetime(post.date)}</pubDate></item>"
        for post in POSTS
    ]
    feed = (
        f'<rss version="2.0"><channel><title>Old news</title><link>{url}</link>'
        f"<description>What was.</description>{''.join(items)}</channel></rss>"
    )
    return {"news/rss.php": feed.encode()}


# The feed in which items have no ids.
WITHOUT_IDS = "without-ids"
# Each feed that is taken over: who makes it, and its path.
EARLIER: Mapping[str, tuple[Maker, str]] = {
    "hugo": (hugo, "index.xml"),
    "pelican-atom": (pelican, "feeds/all.atom.xml"),
    "pelican-rss": (pelican, "feeds/all.rss.xml"),
    "nikola-rss": (nikola, "rss.xml"),
    "nikola-atom": (nikola, "index.atom"),
    "eleventy-atom": (eleventy, "feed/feed.xml"),
    "eleventy-rss": (eleventy, "feed/rss.xml"),
    "eleventy-json": (eleventy, "feed/feed.json"),
    "jekyll": (jekyll, "feed.xml"),
    "wordpress-rss": (wordpress, "feed/"),
    "wordpress-atom": (wordpress, "feed/atom/"),
    "drupal": (drupal, "rss.xml"),
    "blogger": (blogger, "feeds/posts/default"),
    "rdf": (rdf, "backend.php3"),
    WITHOUT_IDS: (without_ids, "news/rss.php"),
}

"""Write Atom and RSS feeds with Pelican, a Markdown file for each entry.

Pelican has one category to an article. So its topics are tags, and its
category is its first country alone: the feeds of countries hold less than
those of the others. It names the site in each feed's title.
"""

SITENAME = "Synthetic news"
SITEURL = "https://news.example.org"
AUTHOR = "Example Agency"
TIMEZONE = "Europe/Zurich"
PATH = "content"

FEED_MAX_ITEMS = 50
FEED_ALL_ATOM = "atom.xml"
FEED_ALL_RSS = "rss.xml"
TAG_FEED_ATOM = "topics/{slug}/atom.xml"
TAG_FEED_RSS = "topics/{slug}/rss.xml"
CATEGORY_FEED_ATOM = "countries/{slug}/atom.xml"
CATEGORY_FEED_RSS = "countries/{slug}/rss.xml"
AUTHOR_FEED_ATOM = None
AUTHOR_FEED_RSS = None
TRANSLATION_FEED_ATOM = None

# No pages.
DIRECT_TEMPLATES: list[str] = []
ARTICLE_SAVE_AS = TAG_SAVE_AS = CATEGORY_SAVE_AS = AUTHOR_SAVE_AS = ""

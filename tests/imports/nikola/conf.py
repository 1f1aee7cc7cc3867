BLOG_AUTHOR = "Mara"  # (translatable)
BLOG_TITLE = "Lighthouse log"
SITE_URL = "https://lighthouse.example.org/"
BLOG_DESCRIPTION = "Weather and ships"
DEFAULT_LANG = "en"
TIMEZONE = "Atlantic/Reykjavik"

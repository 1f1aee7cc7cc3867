AUTHOR = "Radio Club"
SITENAME = "Radio Club of the Isles"
SITEURL = "https://radio.example.org"
TIMEZONE = "Europe/London"
DEFAULT_LANG = "en"
PATH = "content"
raise SystemExit("this is never run")

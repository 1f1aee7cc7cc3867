"""The served site for any WSGI server: `gunicorn wsgi:app`."""

from feeds.wsgi import app

__all__ = ["app"]

"""The WSGI application of `feeds.wsgi`, for `gunicorn wsgi:app` in a checkout."""

from feeds.wsgi import app

__all__ = ["app"]

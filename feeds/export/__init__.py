"""A Release, written out where a web server finds it."""

from feeds.export.folder import Report, export_folder, up_to_date

__all__ = ["Report", "export_folder", "up_to_date"]

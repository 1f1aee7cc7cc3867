"""What the program tells its webmaster: one line for each thing that happened, as `key=value`."""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

_LOG = logging.getLogger("feeds")
_FIELDS = "feeds_fields"


def tell(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log that something happened, with what is to be known of it."""
    _LOG.log(level, event, extra={_FIELDS: fields})


def tell_bug(event: str, **fields: object) -> None:
    """Log the exception that is being handled, with its traceback."""
    _LOG.error(event, exc_info=True, extra={_FIELDS: fields})


def log_to(stream: TextIO, level: int = logging.INFO) -> None:
    """Write each line to a stream from now on, from this level upwards."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Line())
    _LOG.handlers = [handler]
    _LOG.setLevel(level)
    _LOG.propagate = False


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: object) -> str:
    """Write a value so that it is one word, or stands in quotes with all controls escaped."""
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' "=\\'):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)

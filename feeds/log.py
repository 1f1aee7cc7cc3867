"""The log: one line for each event, as `key=value` pairs."""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

_LOGGER = logging.getLogger("feeds")
_FIELDS = "feeds_fields"


def log_event(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log an event with its fields."""
    _LOGGER.log(level, event, extra={_FIELDS: fields})


def log_exception(event: str, **fields: object) -> None:
    """Log the exception that is being handled, with its traceback."""
    _LOGGER.log(logging.ERROR, event, exc_info=True, extra={_FIELDS: fields})


def log_to(stream: TextIO, level: int = logging.INFO) -> None:
    """Write the log to a stream from now on, from this level upwards."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter())
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _quoted(value: object) -> str:
    """Return a value as one word, or in quotes with all control characters escaped."""
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' "=\\'):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)

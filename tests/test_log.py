"""The log: one line for each event, with any values."""

import io
import logging
import re

import pytest

from feeds.log import log_event, log_exception, log_to


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    log_to(stream)
    return stream


def test_a_line_is_keys_and_values(log: io.StringIO) -> None:
    """Time, level and event come first; a value with a space is quoted."""
    log_event("published", release="3f2a", first='entries.yaml:3:1: is "no" date', empty="")
    assert re.fullmatch(
        r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 level=info event=published"
        r' release=3f2a first="entries.yaml:3:1: is \\"no\\" date" empty=""\n',
        log.getvalue(),
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("two\nlines", r'"two\nlines"'),
        ("\x1b[31mred", r'"\u001b[31mred"'),
        ("\x9b\u202e\u2028", r'"\u009b\u202e\u2028"'),
        ("\ud800", r'"\ud800"'),
        ("a\\b", r'"a\\b"'),
        ("قصة", "قصة"),
        ("a=b", '"a=b"'),
    ],
)
def test_control_characters_are_escaped(log: io.StringIO, value: str, written: str) -> None:
    """No text from a catalogue or a client can end a line or control a terminal."""
    log_event("event", logging.WARNING, value=value)
    assert log.getvalue().endswith(f" level=warning event=event value={written}\n")
    assert log.getvalue().count("\n") == 1


def test_a_bug_is_one_line_too(log: io.StringIO) -> None:
    """A traceback is in its event's line."""
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        log_exception("bug")
    assert 'level=error event=bug traceback="Traceback' in log.getvalue()
    assert log.getvalue().count("\n") == 1

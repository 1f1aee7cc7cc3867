"""The access log, for requests that no HTTP server would pass on."""

import errno
import io
import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from conftest import PATIENCE, SHIPPED, free_port, wait_for, wait_until

from feeds.log import log_to
from feeds.server.granian import AccessLog

ENVIRON: WSGIEnvironment = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "SERVER_PROTOCOL": "HTTP/1.1",
    # Each of these characters is written as four.
    "HTTP_USER_AGENT": "\xff" * 1000,
}


def app(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def logged(environ: WSGIEnvironment, file: Path) -> str:
    """Return the line that is written for one request."""
    with file.open("w") as log:
        assert AccessLog(app, log)(environ, lambda *_: lambda _: None) == [b"hello"]
        wait_until(lambda: file.read_text().endswith("\n"))
    return file.read_text()


def test_whatever_a_request_holds_its_line_is_one_line(tmp_path: Path) -> None:
    """Line ends, quotes and escape sequences are in hexadecimal in the log."""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": '/a\r\n"\x1b[31m\xff b',
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "::1",
        "HTTP_USER_AGENT": 'x\n"\x1b\x9b\u2028',
    }
    line = logged(environ, tmp_path / "log")
    assert line.startswith("::1 - - [")
    assert line.endswith(
        r'] "GET /a%0D%0A%22%1B%5B31m%FF%20b HTTP/1.1" 200 5 "-" "x\x0a\x22\x1b\x9b\x2028"' + "\n"
    )


def test_a_log_that_cannot_be_written_costs_no_answer() -> None:
    """A full disk or a closed pipe loses lines; requests are answered."""
    output = io.StringIO()
    log_to(output)
    for name in ("/dev/full", os.devnull):
        log = Path(name).open("w")  # noqa: SIM115  # the thread that writes has no end
        unwritable = AccessLog(app, log)
        if name == os.devnull:
            log.close()
        for _ in range(2):
            assert unwritable(ENVIRON, lambda *_: lambda _: None) == [b"hello"]
        wait_until(lambda: "event=no-access-log" in output.getvalue())
        log.close()
        output.truncate(0)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_full_pipe_costs_lines_and_no_answer(*, blocking: bool) -> None:
    """Requests are answered while no process reads the log; each line is complete, or counted as dropped."""
    output = io.StringIO()
    log_to(output)
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    with os.fdopen(reader) as log, os.fdopen(writer, "w") as stream:
        access = AccessLog(app, stream)
        for _ in range(1000):
            assert access(ENVIRON, lambda *_: lambda _: None) == [b"hello"]
        # The thread that reads ends with the pipe.
        lines: list[str] = []
        reading = Thread(target=lambda: lines.extend(log))
        reading.start()
        wait_until(lambda: "event=access-log-dropped" in output.getvalue())
        assert access(ENVIRON, lambda *_: lambda _: None) == [b"hello"]
        found = re.findall(r"event=access-log-dropped lines=(\d+)\n", output.getvalue())
        dropped = sum(map(int, found))
        assert 500 < dropped < 1000
        wait_until(lambda: len(lines) == 1001 - dropped)
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
        reading.join(10)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert all(line.endswith('xff"\n') for line in lines)


def test_a_pipe_that_nobody_reads_any_more_is_told_once() -> None:
    """If the reader of the log ends, a warning is logged, and no answer waits or fails."""
    output = io.StringIO()
    log_to(output)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        access = AccessLog(app, stream)
        for _ in range(3):
            assert access(ENVIRON, lambda *_: lambda _: None) == [b"hello"]
            wait_until(lambda: "event=no-access-log" in output.getvalue())
        assert os.strerror(errno.EPIPE) in output.getvalue()
        assert output.getvalue().count("event=no-access-log") == 1


def test_what_a_client_says_is_logged_up_to_a_length(tmp_path: Path) -> None:
    """A line has a bounded length, even for long requests."""
    long = "\xff" * 60_000
    environ = {
        "REQUEST_METHOD": "A" * 60_000,
        "PATH_INFO": "/" + long,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_USER_AGENT": long,
        "HTTP_REFERER": long,
    }
    line = logged(environ, tmp_path / "log")
    assert len(line) < 13_000
    assert ' HTTP/1.1" 200 5 "' in line


def test_a_server_answers_while_nobody_reads_its_log(tmp_path: Path) -> None:
    """If the pipe behind `feeds serve --access-log` is full, the number of dropped lines is logged."""
    port = free_port()
    feeds = [sys.executable, "-m", "feeds", "serve", "--access-log", "--port", str(port)]
    with (
        (tmp_path / "log").open("wb") as errors,
        subprocess.Popen(
            [*feeds, "--catalogue", SHIPPED, "--state", tmp_path],
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process)
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            for _ in range(600):
                connection.request("GET", "/robots.txt", headers={"User-Agent": '"' * 1000})
                answer = connection.getresponse()
                assert answer.read()
                assert answer.status == 200
            connection.close()
            assert process.stdout
            count = 0

            def dropped() -> list[str]:
                text = (tmp_path / "log").read_text()
                return re.findall(r"event=access-log-dropped lines=(\d+)\n", text)

            while not dropped() or count < 601 - int(dropped()[0]):
                line = process.stdout.readline()
                assert line.count(b'"GET /') == line.count(b"\n") == 1
                count += 1
            assert len(dropped()) == 1
        finally:
            process.send_signal(signal.SIGTERM)
        process.stdout.read()

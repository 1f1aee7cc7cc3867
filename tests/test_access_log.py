"""The access log, where no server would let the request through."""

import io
from wsgiref.types import StartResponse, WSGIEnvironment

from feeds.web.access_log import AccessLog


def app(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def test_whatever_a_request_holds_its_line_is_one_line() -> None:
    """Line ends, quotes and escapes of a terminal stand in the log as hexadecimal."""
    log = io.StringIO()
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": '/a\r\n"\x1b[31m\xff b',
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "::1",
        "HTTP_USER_AGENT": 'x\n"\x1b\x9b\u2028',
    }
    assert AccessLog(app, log)(environ, lambda *_: lambda _: None) == [b"hello"]
    assert log.getvalue().startswith("::1 - - [")
    assert log.getvalue().endswith(
        r'] "GET /a%0D%0A%22%1B%5B31m%FF%20b HTTP/1.1" 200 5 "-" "x\x0a\x22\x1b\x9b\x2028"' + "\n"
    )


def test_a_log_that_cannot_be_written_costs_no_answer() -> None:
    """A full disk or a closed pipe loses lines; whoever asks is answered."""
    log = io.StringIO()
    log.close()
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    for _ in range(2):
        assert AccessLog(app, log)(environ, lambda *_: lambda _: None) == [b"hello"]

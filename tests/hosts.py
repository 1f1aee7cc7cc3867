"""Real web servers on this machine, each serving `www` in a folder with the exported configuration."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import NamedTuple
from urllib.parse import urlsplit

from conftest import PATIENCE, free_port, let_in, program, wait_for

LOGGED = "access.log"

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
  log_format short '$status $uri';
  access_log {folder}/access.log short;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port}; root {folder}/www;
    location /.well-known/acme-challenge/ {{ root {folder}/acme; }}
    include {out}/.feeds-export/nginx.conf;
  }}
}}
"""
APACHE = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
{modules}
LogFormat "%>s %U" short
CustomLog {folder}/access.log short
TypesConfig /dev/null
DocumentRoot {folder}/www
<Directory {folder}/www>
  AllowOverride FileInfo
  Options FollowSymLinks
  Require all granted
</Directory>
Alias /.well-known/acme-challenge/ {folder}/acme/.well-known/acme-challenge/
<Directory {folder}/acme>
  Require all granted
</Directory>
"""
APACHE_MODULES = "mpm_event alias authz_core autoindex dir headers mime rewrite"
APACHE_FOLDER = Path("/usr/lib/apache2/modules")
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  root * {folder}/www
  log {{
    output file {folder}/access.json
  }}
  import {out}/.feeds-export/Caddyfile
}}
"""


class Host(NamedTuple):
    """A kind of server: its configuration, and the command that runs it in the foreground."""

    configuration: str
    command: Callable[[Path], list[str | Path]]


def _apache(file: Path) -> list[str | Path]:
    return [program("apache2"), "-X", "-d", file.parent, "-f", file]


HOSTS = {
    "nginx": Host(NGINX, lambda file: [program("nginx"), "-p", file.parent, "-c", file]),
    "apache": Host(APACHE, _apache),
    "caddy": Host(
        CADDY, lambda file: [program("caddy"), "run", "--adapter", "caddyfile", "--config", file]
    ),
}


@contextmanager
def hosted(name: str, folder: Path, out: Path, port: int) -> Iterator[Popen[bytes]]:
    """Run a server until the end; workers may run as `nobody`, so every parent folder is made accessible."""
    host = HOSTS[name]
    file = folder / "server.conf"
    modules = "\n".join(
        f"LoadModule {module}_module {APACHE_FOLDER}/mod_{module}.so"
        for module in APACHE_MODULES.split()
    )
    file.write_text(host.configuration.format(folder=folder, out=out, port=port, modules=modules))
    let_in(folder)
    env = os.environ | {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = host.command(file)
    with Popen(command, stdout=DEVNULL, stderr=DEVNULL, env=env) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            except TimeoutExpired:
                server.kill()


class Answer(NamedTuple):
    """A server's response."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(url: str, method: str = "GET", **headers: str) -> Answer:
    """Send one request, without following redirects or decoding; header names are in lower case."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path or "/", headers={"Accept-Encoding": ""} | sent)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()


__all__ = ["HOSTS", "Answer", "ask", "free_port", "hosted"]

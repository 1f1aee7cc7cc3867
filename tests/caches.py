"""Real caches on this machine, configured as documented."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired

from conftest import ROOT, free_port, program, wait_for

CONFIGURATIONS = ROOT / "docs" / "configurations"
FOLDER = "social-protection/"
NGINX = """
{user} daemon off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  include {folder}/nginx.conf;
}}
"""


def placed(name: str, folder: Path, origin: int, port: int) -> Path:
    """Copy a documented configuration, with the addresses and folders of this test."""
    text = (CONFIGURATIONS / name).read_text()
    for there, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{origin}"),
        ("127.0.0.1:8333", f"127.0.0.1:{origin}"),
        ('"8000"', f'"{origin}"'),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx/feeds", f"{folder}/kept"),
    ):
        text = text.replace(there, here)
    file = folder / name
    file.write_text(text)
    return file


def nginx(folder: Path, origin: int, port: int, name: str = "nginx.conf") -> list[str | Path]:
    placed(name, folder, origin, port).replace(folder / "nginx.conf")
    main = folder / "main.conf"
    # A worker of another user could not read what pytest keeps for root.
    user = "user root;" if os.getuid() == 0 else ""
    main.write_text(NGINX.format(folder=folder, user=user))
    return [program("nginx"), "-p", folder, "-c", main]


def varnish(folder: Path, origin: int, port: int) -> list[str | Path]:
    vcl = placed("varnish.vcl", folder, origin, port)
    where = ("-n", folder / "varnish", "-s", "malloc,32m", "-j", "none")
    purge = free_port()
    (folder / "purge").write_text(f"http://127.0.0.1:{purge}/")
    sockets = ("-a", f"127.0.0.1:{port}", "-a", f"purge=127.0.0.1:{purge}")
    options = ("-p", "http_gzip_support=off")
    return [program("varnishd"), "-F", "-f", vcl, *sockets, *where, *options]


def nginx_bucket(folder: Path, origin: int, port: int) -> list[str | Path]:
    return nginx(folder, origin, port, "nginx-bucket.conf")


CACHES = {"nginx": nginx, "nginx-bucket": nginx_bucket, "varnish": varnish}


@contextmanager
def caching(name: str, folder: Path, origin: int) -> Iterator[str]:
    """Run a cache in front of a server on this port, and yield the site's URL there."""
    port = free_port()
    folder = folder / name
    folder.mkdir()
    command = CACHES[name](folder, origin, port)
    with (folder / "log").open("wb") as log, Popen(command, stdout=DEVNULL, stderr=log) as cache:
        try:
            wait_for(f"http://127.0.0.1:{port}/{FOLDER}", cache)
            yield f"http://127.0.0.1:{port}/{FOLDER}"
        finally:
            cache.terminate()
            try:
                cache.wait(10)
            except TimeoutExpired:
                cache.kill()

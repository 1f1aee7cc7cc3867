"""Misbehaving servers: they accept connections, and send what a test chooses, slowly."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# In seconds, between two pieces.
PAUSE = 0.02


class Hostile:
    """A server that reads a request's head, and sends the pieces that `answer` yields."""

    def __init__(self, answer: Callable[[], Iterator[bytes]], *, reads: bool = True) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._reads = reads
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                received = connection.recv(65_536) if self._reads else b""
                self.requests.append(received)
                for piece in self._answer():
                    connection.sendall(piece)
                    if self._over.wait(PAUSE):
                        return
                # It never ends by itself.
                self._over.wait()
            except OSError:
                return


@contextmanager
def hostile(answer: Callable[[], Iterator[bytes]], *, reads: bool = True) -> Iterator[Hostile]:
    server = Hostile(answer, reads=reads)
    try:
        yield server
    finally:
        server.close()

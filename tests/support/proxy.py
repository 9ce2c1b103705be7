"""A proxy in front of PostgreSQL that cuts a connection before or after one statement."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

_ASKS_FOR_ENCRYPTION = (80877103, 80877104)
"""SSLRequest and GSSENCRequest, which this proxy declines."""
_TERMINATE = b"X\x00\x00\x00\x04"


@dataclass
class Proxy:
    """Passes on what a client and a server say; `at` is the number of the statement at which it cuts, 0 for none."""

    server: str
    """The server's socket."""
    at: int = 0
    after: bool = False
    """Whether the server has done the statement by then, so that only its answer is lost."""
    statements: list[str] = field(default_factory=list)
    """What passed, in its order."""
    port: int = 0

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Listen on a port while it lasts."""
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            yield self

    def begin(self, at: int = 0, *, after: bool = False) -> None:
        """Count anew."""
        self.at, self.after, self.statements = at, after, []

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with closing(client), closing(server):
            server.connect(self.server)
            with suppress(OSError):
                self._pass_on_to(server, client)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # else the thread that listens to it keeps it open

    def _pass_on_to(self, server: socket.socket, client: socket.socket) -> None:
        server.sendall(_first_message(client))
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        while True:
            kind, message = _message(client)
            if kind == b"Q":
                self.statements.append(message[5:-1].decode(errors="replace"))
                if len(self.statements) == self.at:
                    client.shutdown(socket.SHUT_RDWR)
                    if self.after:
                        server.sendall(message + _TERMINATE)  # which it reads when it has done the statement
                        back.join()
                    return
            server.sendall(message)


def _first_message(client: socket.socket) -> bytes:
    """The message that begins a session, of which the server knows the kind by its place."""
    while True:
        head = _exactly(client, 8)
        size, code = struct.unpack("!II", head)
        if code not in _ASKS_FOR_ENCRYPTION:
            return head + _exactly(client, size - 8)
        client.sendall(b"N")


def _message(client: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(client, 5)
    return head[:1], head + _exactly(client, struct.unpack("!I", head[1:])[0] - 4)


def _exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = client.recv(size - len(found))
        if not part:
            raise ConnectionResetError
        found += part
    return found


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    """Whatever the server says; what nobody reads any more is dropped."""
    with closing(client.dup()) as there:
        try:
            while part := server.recv(1 << 16):
                try:
                    there.sendall(part)
                except OSError:
                    continue
            there.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

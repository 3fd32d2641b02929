"""Lines of JSON between two processes of a site."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any


class Channel:
    """One end of a connection. What is received comes from the same program, run by the same user:
    nobody else may enter the folder where its socket lies.

    All but `hang_up` raise OSError, and EOFError where the other end has hung up.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._file = link.makefile("rb")

    @classmethod
    def to(cls, address: str) -> "Channel":
        """To whoever listens at an address."""
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(address)
        except OSError:
            link.close()
            raise
        return cls(link)

    def send(self, told: Mapping[str, Any], data: bytes = b"") -> None:
        """A line, and `data` behind it."""
        self._link.sendall(json.dumps(told).encode() + b"\n" + data)

    def receive(self) -> dict[str, Any]:
        """The next line."""
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        found: dict[str, Any] = json.loads(line)
        return found

    def read(self, size: int) -> bytes:
        """So many bytes that stand behind a line."""
        data = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def wait_for_end(self) -> None:
        """Until the other end hangs up, or sends something."""
        self._file.read(1)

    def hang_up(self) -> None:
        """Both ends notice at once, also in the middle of receiving. From any thread."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up, and give the connection back. By the thread that asks."""
        self.hang_up()
        self._file.close()
        self._link.close()

    def __enter__(self) -> "Channel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

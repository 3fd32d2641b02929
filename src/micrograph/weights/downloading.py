"""One file from an address to the disk: resumed where it was cut, kept only if it is the right one.

https only; plain http where the caller allows it, and on this machine itself. Nothing else is ever
opened, also not behind a redirect.
"""

import hashlib
import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from micrograph.cards.model_card import WeightsSource
from micrograph.errors import Conflict, Unavailable, short
from micrograph.files import cannot_write, locked
from micrograph.steps import StepHook
from micrograph.weights.formats import WeightsError

CHUNK = 2**20
TIMEOUT = 30.0
ATTEMPTS = 5
LARGEST = 20 * 2**30
_HERE = ("localhost", "127.0.0.1", "::1")


class Unreachable(Exception):
    """A source that does not give its file, and why; another may."""


class _Cut(Exception):
    """It broke off, and may go on at the next attempt."""


def download(
    source: WeightsSource,
    target: Path,
    *,
    allow_http: bool = False,
    pause: float = 1.0,
    on_step: StepHook | None = None,
) -> Path:
    """Fetch `source` into `target` and verify it; gives `target`. One that is there is taken.

    `pause` is the wait in seconds before the second attempt, doubled before each further one.
    `on_step` hears the bytes that are there and those expected (0 if that is unknown). What was cut
    off stays beside `target` as `.part`. Raises Unreachable if the source does not give it,
    WeightsError if it gives another file (then nothing is kept), Unavailable if there is no room.
    """
    check_address(source.url, allow_http)
    if target.is_file():
        _verify(source, target)
        forget_partial(target)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target, error) from None
    part = _PartialFile(target, source.url)
    with part.alone():
        for attempt in range(ATTEMPTS):
            try:
                _attempt(source, part, allow_http, on_step)
                break
            except _Cut as error:
                if attempt + 1 == ATTEMPTS:
                    raise Unreachable(f"{error}; what there is of it is kept, try again") from None
                time.sleep(pause * 2**attempt)
        part.move_to(target)
    return target


def forget_partial(target: Path) -> None:
    """Remove what there is of a file that was to come to `target`, unless a process is at it."""
    part = _PartialFile(target, "")
    with suppress(OSError):
        if (part.path.exists() or part.note.exists()) and (handle := locked(part.path)) is not None:
            part.drop()
            os.close(handle)


def check_address(url: str, allow_http: bool) -> None:
    """Raises Unreachable for an address that is not fetched."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
    except ValueError:
        scheme, host = "", ""
    if scheme == "https" and host:
        return
    if scheme == "http" and host:
        if allow_http or host in _HERE:
            return
        raise Unreachable(
            f"{host} is reached by plain http only, where nothing proves the file's origin"
        )
    if scheme == "gs":
        raise Unreachable("gs:// addresses need Google's own program (gsutil cp)")
    raise Unreachable(f"{short(url)} is no https address")


class _PartialFile:
    """A partly downloaded file, and a note of the file that it is a part of."""

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        self.url = url

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def known(self) -> tuple[str, int]:
        """The version of the file at the server (see `_version`) and its size; "" and 0 if unknown,
        or if the part is of another address."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(self.note.read_text())
            if said["url"] == self.url:
                return str(said["version"]), int(said["size"])
        return "", 0

    def begin(self, version: str, size: int) -> None:
        self.path.write_bytes(b"")  # first: what was there is not a part of what the note will say
        self.note.write_text(json.dumps({"url": self.url, "version": version, "size": size}))

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def move_to(self, target: Path) -> None:
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self.note.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises Conflict where another process is at the same file."""
        try:
            handle = locked(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        if handle is None:
            raise Conflict(f"another process is fetching {self.path}; wait for it")
        try:
            yield
        finally:
            if not self.size:
                self.drop()
            os.close(handle)


def _attempt(
    source: WeightsSource, part: _PartialFile, allow_http: bool, on_step: StepHook | None
) -> None:
    """Go on to the end of the file and verify it."""
    version, size = part.known()
    start = part.size if version or source.sha256 else 0
    if not (start and start == size):  # else it was cut between its last byte and here
        with _ask(source.url, start, version, allow_http) as answer:
            start, size = _range_of_answer(source, part, answer, start)
            _receive(answer, part, size, on_step)
    try:
        _verify(source, part.path)
    except WeightsError:
        part.drop()
        if start:  # what was there before may have been of another file
            raise _Cut("what was there of it was of another file") from None
        raise


def _ask(url: str, start: int, version: str, allow_http: bool) -> http.client.HTTPResponse:
    headers = {"User-Agent": "micrograph", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if version:
            headers["If-Range"] = version
    host = urlsplit(url).hostname
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(allow_http),
    ):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, headers=headers)
        answer: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 or error.code in (408, 429) or error.code >= 500:
            raise _Cut(f"{host} answers {error.code} {error.reason}") from None
        raise Unreachable(f"{host} answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _Cut(f"{host} does not answer") from None
        known = isinstance(error.reason, OSError) and error.reason.strerror
        raise Unreachable(f"cannot reach {host} ({known or error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(f"{host} broke off ({error})") from None
    return answer


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, allow_http: bool) -> None:
        self.allow_http = allow_http

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            check_address(newurl, self.allow_http)
        except Unreachable:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _version(answer: http.client.HTTPResponse) -> str:
    """What the server calls this version of the file; a weak tag promises no equal bytes."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _range_of_answer(
    source: WeightsSource, part: _PartialFile, answer: http.client.HTTPResponse, start: int
) -> tuple[int, int]:
    """Where the answer starts, and the size of the whole file (0 if unknown)."""
    length = int(answer.headers.get("Content-Length") or 0)
    if answer.status != 206:
        start = 0
    elif not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        part.drop()
        raise _Cut("the server sent another part than it was asked for")
    size = start + length if length else 0
    if size and source.size and size != source.size:
        part.drop()
        raise WeightsError(f"{source.url} has {size} bytes, expected {source.size}")
    if size > LARGEST:
        raise WeightsError(f"{source.url} has {size} bytes, expected at most {LARGEST}")
    needed = size - start + size  # and as much again for the converted weights
    free = shutil.disk_usage(part.path.parent).free
    if needed > free:
        raise Unavailable(
            f"{part.path.parent} has room for {free / 1e6:.0f} MB; fetching and converting "
            f"{source.url} takes {needed / 1e6:.0f} MB; make room"
        )
    if not start:
        try:
            part.begin(_version(answer), size)
        except OSError as error:
            raise cannot_write(part.path, error) from None
    return start, size


def _receive(
    answer: http.client.HTTPResponse, part: _PartialFile, size: int, on_step: StepHook | None
) -> None:
    host = urlsplit(part.url).hostname
    done = part.size
    with part.path.open("ab", buffering=0) as file:  # what is written is there after a kill
        while True:
            try:
                chunk = answer.read1(CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _Cut(f"{host} broke off ({error})") from None
            if not chunk:
                break
            done += len(chunk)
            if done > (size or LARGEST):
                raise WeightsError(f"{part.url} goes on behind {size or LARGEST} bytes")
            try:
                left = memoryview(chunk)
                while left:
                    left = left[file.write(left) :]
            except OSError as error:
                raise cannot_write(part.path, error) from None
            if on_step is not None:
                on_step(done, size)
    if done < size:
        raise _Cut(f"{host} broke off after {done} of {size} bytes")


def _verify(source: WeightsSource, file: Path) -> None:
    """Raises WeightsError unless size and digest are those of the card, where it has them."""
    size = file.stat().st_size
    if source.size and size != source.size:
        raise WeightsError(f"{source.url} has {size} bytes, expected {source.size}")
    if source.sha256:
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest != source.sha256:
            raise WeightsError(
                f"{source.url} gives another file than the card names: its SHA-256 is {digest}, "
                f"expected {source.sha256}"
            )

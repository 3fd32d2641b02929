"""`serve` with several processes, as a program: it starts, lives on and ends as one."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
import web_samples

SECRET = "correct-horse-battery-staple"


def children(pid: int) -> list[int]:
    """The processes that answer, of a site."""
    found = []
    for folder in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{int(folder)}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{folder}/cmdline") as file:
                if parent == pid and "spawn_main" in file.read():
                    found.append(int(folder))
    return found


def wait_for(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def url_of(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, (line, process.stderr.read() if process.poll() is not None else "")
    return found[0]


def is_gone(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"
    return True


def half_an_upload(url: str) -> socket.socket:
    """A picture on its way in that does not arrive."""
    host, port = re.findall(r"//([\d.]+):(\d+)", url)[0]
    link = socket.create_connection((host, int(port)), 10)
    link.sendall(
        f"POST /models/toytown/look HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 999999\r\n"
        f"Origin: http://{host}:{port}\r\nContent-Type: image/png\r\n\r\nx".encode()
    )
    return link


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "atlases"
    place.mkdir()
    web_samples.write(place)
    return place


def test_it_lives_on_and_ends_as_one(start, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("MICROGRAPH_TOKEN", SECRET)
    process = start("serve", "--port", "0", "--atlas", folder, "--workers", "2")
    url = url_of(process)
    with urllib.request.urlopen(url + "health", timeout=30) as answer:
        assert answer.read() == b'{"status":"ok"}'
    both = wait_for(lambda: len(there := children(process.pid)) == 2 and there)
    assert not any(SECRET in Path(f"/proc/{pid}/environ").read_text() for pid in both)
    os.kill(both[0], signal.SIGKILL)
    again = wait_for(lambda: len(there := set(children(process.pid)) - {both[0]}) == 2 and there)
    told = urllib.request.Request(
        url + "models.json", headers={"Authorization": f"Bearer {SECRET}"}
    )
    for _ in range(4):
        with urllib.request.urlopen(told, timeout=60) as answer:
            assert b"tinynet" in answer.read()
    links = [half_an_upload(url) for _ in range(3)]
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - begun < 8  # 3, on a machine that has nothing else to do
    assert process.returncode == -signal.SIGTERM
    assert out == ""
    assert "Traceback" not in err
    assert SECRET not in err
    assert all(is_gone(pid) for pid in again)
    assert not list(tmp_path.glob("micrograph-*"))
    for link in links:
        link.close()


@pytest.mark.nightly
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_nothing_is_left_of_it(start, folder, how):
    """Ctrl-C in a terminal goes to all processes at once."""
    process = start("serve", "--port", "0", "--atlas", folder, "--workers", "2", process_group=0)
    url_of(process)
    both = wait_for(lambda: len(there := children(process.pid)) == 2 and there)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    _, err = process.communicate(timeout=30)
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in err
    wait_for(lambda: all(is_gone(pid) for pid in both), 20)


def test_what_cannot_start_is_one_line(refused, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is taken" in refused(
            "serve", "--port", port, "--workers", 3
        )
    (tmp_path / "x.atlas").write_text("")
    assert "is a file" in refused("serve", "--workers", 2, "--atlas", tmp_path / "x.atlas")
    assert "1<=x<=64" in refused("serve", "--workers", 0)
    assert "--root-path" in refused("serve", "--root-path", "a b")
    assert "--forwarded-allow-ips" in refused("serve", "--forwarded-allow-ips", "lab")


def test_a_token_that_cannot_be_is_one_line(refused, tmp_path, monkeypatch):
    token = tmp_path / "token"
    assert f"cannot use '{token}'" in refused("serve", "--token-file", token)
    for bad in (b"", b"short\n", b"one-line-of-a-token\nand-another-one\n", b"\xff" * 30):
        token.write_bytes(bad)
        line = refused("serve", "--token-file", token)
        assert f"--token-file {token}" in line
        assert "short" not in line
    monkeypatch.setenv("MICROGRAPH_TOKEN", "")
    assert "MICROGRAPH_TOKEN holds no token" in refused("serve")
    monkeypatch.setenv("MICROGRAPH_TOKEN", SECRET)
    token.write_text(SECRET)
    assert "give one of them" in refused("serve", "--token-file", token)

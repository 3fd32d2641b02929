"""What docs/lab.md tells a lab to write down is understood by the programs that read it."""

import contextlib
import fnmatch
import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import web_samples
from crawling import crawl
from PIL import Image

from micrograph.cli import app

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs" / "lab.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.M | re.S)
UNIT = next(block for kind, block in BLOCKS if kind == "ini")
CADDY = [block for _, block in BLOCKS if "reverse_proxy" in block]
NGINX = next(block for kind, block in BLOCKS if kind == "nginx")
CONTAINER = (CHECKOUT / "Containerfile").read_text("utf-8")


def options_of(words: list[str]) -> dict[str, object]:
    """What `micrograph` with these words would do, from its options."""
    command = app.commands[words[0]]
    return dict(command.make_context(words[0], words[1:]).params)


def test_the_service_starts_what_there_is() -> None:
    line = re.search(r"^ExecStart=/opt/micrograph/bin/micrograph (.*)$", UNIT, re.M)
    assert line
    given = options_of(shlex.split(line[1].replace("%d", "/run/credentials")))
    assert given["workers"] == 2
    assert given["token_file"] == Path("/run/credentials/token")
    assert given["allow_host"] == ("lab.example",)
    assert given["host"] == "127.0.0.1"
    assert "LoadCredential=token:" in UNIT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_the_service_is_understood_and_has_few_rights(tmp_path: Path) -> None:
    unit = tmp_path / "micrograph.service"
    runnable = UNIT.replace("/opt/micrograph/bin/micrograph", "/bin/true")
    unit.write_text(re.sub(r"^User=.*\n", "", runnable, flags=re.M))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in checked.stderr.splitlines() if "micrograph.service" in line]
    assert ours == []
    unit.write_text(UNIT)
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=30", unit],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert rated.returncode == 0, rated.stdout[-300:] + rated.stderr


def test_the_image_is_built_of_what_is_there() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text("utf-8").split("\n")
    kept = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINER, re.M)
        for name in line.split()[:-1]
    ]
    assert "*" in ignored
    assert sorted(copied) == sorted(kept)
    assert all((CHECKOUT / name).exists() for name in copied)
    left_out = [line for line in ignored if line.startswith("**/")]
    assert any(fnmatch.fnmatch("x/y.atlas-wal", line) for line in left_out)
    assert not any(fnmatch.fnmatch("src/micrograph/gallery/x.atlas", line) for line in left_out)


def test_the_image_runs_what_there_is() -> None:
    words = re.findall(r'"([^"]*)"', CONTAINER.rpartition("\nCMD ")[2])
    assert options_of(words)["host"] == "0.0.0.0"
    assert 'ENTRYPOINT ["micrograph"]' in CONTAINER
    assert re.search(r"^USER [1-9]\d+$", CONTAINER, re.M)
    assert "EXPOSE 8000" in CONTAINER
    for line in re.findall(r"^podman run .* micrograph (\w.*)$", TEXT, re.M):
        assert options_of(shlex.split(line))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(*command: object, **more: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(list(map(str, command)), text=True, **more)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> None:
    end = time.monotonic() + 90
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def caddy(tmp_path: Path, prefix: str, site: int, front: int) -> list[object]:
    block = CADDY[1] if prefix else CADDY[0]
    text = block.replace("lab.example {", f"http://lab.example:{front} {{").replace(
        "127.0.0.1:8000", f"127.0.0.1:{site}"
    )
    file = tmp_path / "Caddyfile"
    file.write_text("{\n\tadmin off\n}\n" + text.replace("\n}\n", "\n\tbind 127.0.0.1\n}\n"))
    return [shutil.which("caddy"), "run", "--adapter", "caddyfile", "--config", file]


def nginx(tmp_path: Path, prefix: str, site: int, front: int) -> list[object]:
    block = re.sub(r"^ *ssl_.*\n", "", NGINX, flags=re.M).replace(
        "listen 443 ssl", f"listen 127.0.0.1:{front}"
    )
    block = block.replace("127.0.0.1:8000", f"127.0.0.1:{site}")
    block = block.replace("location / {", f"location {prefix}/ {{")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{folders}{block} }}\n"
    )
    return [shutil.which("nginx"), "-c", file, "-e", tmp_path / "error.log"]


LOOKS = """
import json, sys, time
def say(**line): print(json.dumps(line), flush=True)
say(answer="ready")
while line := sys.stdin.buffer.readline():
    y, x, _ = json.loads(line)["shape"]
    sys.stdin.buffer.read(y * x * 3)
    say(step=1, steps=2)
    time.sleep(1.5)
    say(answer="data:,")
"""
SITE = f"""
import sys
from pathlib import Path
from micrograph.web import picture_questions as looking, serve
from micrograph.web.proxies import Proxies
looking.PictureQuestions.__init__.__defaults__ = (
    lambda model, digest: [sys.executable, "-c", {LOOKS!r}], None
)
folder, port, prefix = sys.argv[1:]
serve([Path(folder)], port=int(port), hosts=["lab.example"], proxies=Proxies("127.0.0.1", prefix))
"""


def few_pages(url: str) -> bool:
    return not re.search(r"/(look|map|render|wide|images)\b|/models/\w+/\w+/\d*[1-9]|\?", url)


@pytest.mark.nightly
@pytest.mark.parametrize("prefix", ["", "/micrograph"], ids=["alone", "under a path"])
@pytest.mark.parametrize("proxy", [caddy, nginx])
def test_a_real_proxy_in_front(proxy, prefix: str, tmp_path: Path) -> None:
    """Links stay where they are, steps come one by one, other sites are kept out."""
    if shutil.which(proxy.__name__) is None:
        pytest.skip(f"no {proxy.__name__} here")
    folder = tmp_path / "atlases"
    folder.mkdir()
    web_samples.write(folder)
    site, front = free_port(), free_port()
    base = f"http://lab.example:{front}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path)}
    transport = httpx.HTTPTransport(proxy=None)
    with (
        running(sys.executable, "-c", SITE, folder, site, prefix, env=env),
        running(*proxy(tmp_path, prefix, site, front), env=env, stderr=subprocess.DEVNULL),
        httpx.Client(
            transport=transport, base_url=f"http://127.0.0.1:{front}", timeout=90
        ) as client,
    ):
        answers(site)
        answers(front)
        client.headers["host"] = f"lab.example:{front}"
        found = crawl(client.get, prefix + "/", prefix, few_pages)
        assert len(found) > 20
        unit = client.get(f"{prefix}/models/tinynet/conv0/1.json").json()
        link = next(one["text"] for one in unit["citations"] if one["name"] == "Link")
        assert link == f"{base}{prefix}/models/tinynet/conv0/1"
        picture = io.BytesIO()
        Image.new("RGB", (64, 64)).save(picture, "PNG")
        where = f"{prefix}/models/tinynet/conv0/look?caricature=true"
        headers = {"origin": base, "content-type": "image/png", "accept": "application/x-ndjson"}
        with client.stream("POST", where, content=picture.getvalue(), headers=headers) as answer:
            lines = [(line, time.monotonic()) for line in answer.iter_lines()]
        assert lines[0][0] == '{"step": 1, "steps": 2}'
        assert lines[1][1] - lines[0][1] > 0.7  # not held back until all is there
        other = headers | {"origin": "http://evil.example"}
        assert client.post(where, content=b"x", headers=other).status_code == 403
        large = client.post(where, content=b"x" * (34 << 20), headers=headers)
        assert large.status_code == 413

"""`serve` and `demo`, as programs."""

import fcntl
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from micrograph.atlas import Atlas


def get(url: str):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code


def url_of(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, (line, process.poll() is not None and process.stderr.read())
    return found[0]


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_serve_answers_and_ends_with_ctrl_c(start, tmp_path):
    process = start("serve", "--port", "0", "--atlas", tmp_path)
    url = url_of(process)
    assert get(f"{url}models.json")["kind"]
    assert get(f"{url}models/absent.json") == 404
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_serving_does_not_import_torch(tmp_path):
    code = (
        "import sys, uvicorn\n"
        "seen = lambda *_, **__: sys.exit(7 if 'torch' in sys.modules else 0)\n"
        "uvicorn.Server.run = seen\n"
        "from micrograph.cli import main\n"
        f"main(['serve', '--port', '0', '--atlas', {str(tmp_path)!r}])\n"
        "sys.exit(8)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_bad_ports_and_hosts(refused, busy_port, command):
    line = refused(command, "--port", busy_port)
    free = re.search(r"--port (\d+)", line)
    assert f"port {busy_port} on 127.0.0.1 is taken" in line
    assert free
    assert int(free[1]) != busy_port
    assert "out of range" in refused(command, "--port", 70000)
    assert "out of range" in refused(command, "--port", -1)
    assert "no address of this machine" in refused(command, "--port", 0, "--host", "no.such.host.")


def test_atlas_must_be_a_folder(refused, tmp_path):
    (tmp_path / "x.atlas").write_text("")
    assert "is a file, expected a folder" in refused("serve", "--atlas", tmp_path / "x.atlas")


def writer_is_gone(path) -> bool:
    """Without asking for the lock as a writer does: the tour would make way."""
    try:
        with path.with_name(path.name + ".lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def wait_for(condition, seconds: float = 120.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)
    return found


def pictures(path) -> int:
    if not path.exists():
        return 0
    with Atlas.open(path) as atlas:
        return len(atlas.rendered())


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGKILL, id="killed", marks=pytest.mark.nightly),
    ],
)
def test_demo_shows_the_site_at_once_and_renders_beside_it(start, new_user, how):
    path = new_user / "demo" / "toytown.atlas"
    process = start("demo", "--port", "0")
    url = url_of(process)
    assert get(f"{url}models.json")["kind"]
    wait_for(lambda: pictures(path) or process.poll() is not None)
    assert get(f"{url}models/toytown.json")["address"] == "toytown"
    assert not writer_is_gone(path)
    process.send_signal(how)
    process.wait(60)
    wait_for(lambda: writer_is_gone(path), 60)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert not path.with_name("toytown.atlas-wal").exists()
    assert pictures(path)


def test_demo_forgets_what_other_weights_made(new_user, run, tmp_path):
    from micrograph.cli.demo import forget_other_weights

    path = tmp_path / "toytown.atlas"
    forget_other_weights(tmp_path, "toytown")  # nothing there: nothing to do
    run(
        "render",
        "toytown",
        "--node",
        "conv0",
        "--units",
        "0",
        "--steps",
        "1",
        "--size",
        "32",
        "--atlas",
        tmp_path,
    )
    forget_other_weights(tmp_path, "toytown")
    assert pictures(path) == 1
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE model SET digest = 'another'")
    connection.close()
    forget_other_weights(tmp_path, "toytown")
    assert not path.exists()
    path.write_text("no atlas")
    forget_other_weights(tmp_path, "toytown")
    assert not path.exists()


def test_demo_says_at_once_where_it_cannot_write(new_user, refused):
    new_user.parent.mkdir()
    new_user.write_text("a file where the folder should be")
    assert refused("demo", "--port", "0").startswith(f"error: cannot use '{new_user / 'demo'}': ")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    code = (
        "import sys, uvicorn\n"
        "uvicorn.Server.run = lambda *_, **__: sys.exit(7)\n"
        "from micrograph.cli import main\n"
        f"main(['serve', '--port', '0', '--atlas', {str(tmp_path / 'nowhere')!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 7
    assert f"warning: there is no folder {tmp_path / 'nowhere'} yet" in done.stderr
    assert not (tmp_path / "nowhere").exists()

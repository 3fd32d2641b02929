"""What all commands have in common: help, errors, starting fast."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import micrograph
from micrograph import cli
from micrograph.errors import Unavailable

COMMANDS = ["models", "weights", "render", "serve", "demo", "info"]


def test_version_is_one_line(run):
    status, out, err = run("--version")
    assert (status, err) == (0, "")
    assert out == f"micrograph {micrograph.__version__}\n"


def test_help_names_every_command(run):
    for args in (["--help"], ["-h"]):
        status, out, _ = run(*args)
        assert status == 0
        assert all(f"  {name} " in out for name in COMMANDS)
    for name in COMMANDS:
        status, out, _ = run(name, "--help")
        assert status == 0
        assert out.startswith(f"Usage: micrograph {name}")


def test_without_a_command_help_is_shown(run):
    status, out, err = run()
    assert (status, out) == (2, "")
    assert "Usage: micrograph" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["rendr"], "No such command 'rendr'"),
        (["models", "--jsn"], "No such option '--jsn'"),
        (["render"], "Missing argument 'MODEL'"),
        (["models", "extra"], "unexpected extra argument (extra)"),
        (["serve", "--port", "x"], "'x' is not a valid integer; see `micrograph serve --help`"),
        (["weights", "drop", "toytown"], "No such command 'drop'"),
    ],
)
def test_usage_errors_are_one_line(refused, args, message):
    assert message in refused(*args)


def raising(error):
    def command(*args, **kwargs):
        raise error

    return command


def test_errors_of_ours_are_one_line(refused, monkeypatch):
    monkeypatch.setattr(cli.models, "cards", raising(Unavailable("no such luck; try again")))
    assert refused("models") == "error: no such luck; try again\n"


def test_other_errors_keep_their_traceback(run, monkeypatch):
    monkeypatch.setattr(cli.models, "cards", raising(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run("models")


def test_what_the_system_refuses_is_one_line(refused):
    name = "x" * 300  # longer than a file's name may be
    message = refused("serve", "--atlas", name)
    assert message.startswith(f"error: cannot use '{name}': File name too long")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("args", [["models"], ["models", "--json"]])
def test_output_that_cannot_be_written_is_one_line(args):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "micrograph", *args],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot go on: No space left on device")
    assert done.stderr.count("\n") == 1


def test_interruption_is_130(run, monkeypatch):
    monkeypatch.setattr(cli.models, "cards", raising(KeyboardInterrupt()))
    assert run("models").status == 130


def test_warnings_are_one_line_on_standard_error(run, monkeypatch):
    def cards():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("a model is left out", stacklevel=1)
        return {}

    monkeypatch.setattr(cli.models, "cards", cards)
    status, out, err = run("models", "--json")
    assert (status, out, err) == (0, "[]\n", "warning: a model is left out\n")


@pytest.mark.parametrize("command", [["models"], ["weights", "status"], ["--help"], ["--version"]])
def test_light_commands_do_not_import_torch(command):
    code = (
        "import sys; from micrograph.cli import main; "
        f"main({command!r}); sys.exit(7 if 'torch' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0

"""Commands in documents are understood: their options exist and can have such values."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from micrograph.cli import app

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"))
LINE = re.compile(r"^(?: {4})?(micrograph [a-z].*)$|`(micrograph [a-z][^`\n]*)`", re.MULTILINE)
AFTER = re.compile(r" {2,}| #| \|")
"""What ends a command: columns of words beside it, a remark, another command in its place."""
ELSEWHERE = "-t greys"
"""A lens that is none of ours; `test_new_lens.py` runs its commands."""


def commands() -> Iterator[str]:
    """All command lines of the documents; those in brackets as if they were given."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8").replace("\\\n", " ")
        for alone, within in LINE.findall(text):
            yield AFTER.split(alone or within)[0].replace("[", "").replace("]", "")


def found(line: str) -> tuple[click.Command, list[str]]:
    """The command that a line names, and what it is given."""
    command: click.Command = app
    words = shlex.split(line)[1:]
    while words and isinstance(command, click.Group):
        default = getattr(command, "default", None)
        named = default is None or words[0] in command.commands
        command = command.commands[words.pop(0) if named else default]
    return command, words


@pytest.mark.parametrize("line", sorted({one for one in commands() if ELSEWHERE not in one}))
def test_command(line: str) -> None:
    command, words = found(line)
    if words == ["--help"] or not words:
        return  # the name alone, which `found` looked up
    try:
        context = command.make_context(line, list(words))
    except click.exceptions.Exit:
        assert "--help" in words
    else:
        assert context.params


def test_mistakes_are_noticed() -> None:
    with pytest.raises(KeyError):
        found("micrograph rendre toytown")
    command, words = found("micrograph render toytown -t tuning --facet 3")
    with pytest.raises(click.UsageError):
        command.make_context("render", words)

"""kill -9 of the process that the site runs in: what works for it ends too, whatever it does."""

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import sys
from PIL import Image
from micrograph.events import Step
from micrograph.web.picture_questions import PictureQuestions
from micrograph.workers import LOOK

questions = PictureQuestions()

def on_step(step, steps):
    if step == 1:
        print(questions.workers.process(LOOK).pid, flush=True)

request = {"ask": "caricature", "node": "mixed5b"}
while True:
    questions.ask("toytown", "", request, Image.new("RGB", (96, 96)), on_step)
"""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_worker_in_the_middle_of_an_answer_ends_with_the_site() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        worker = int(parent.stdout.readline())
        assert not is_gone(worker)
    finally:
        parent.kill()
        parent.communicate()
    end = time.monotonic() + 20
    while not is_gone(worker):
        assert time.monotonic() < end, "the worker outlives the site"
        time.sleep(0.05)

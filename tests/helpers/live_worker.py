"""A small script in the place of `micrograph live`: draws grey pictures that become lighter."""

import sys
import textwrap
from pathlib import Path

SCRIPT = """
    import base64, json, os, struct, sys, threading, time, zlib
    pause = float(sys.argv[1])
    cancelled = set()
    log = open(sys.argv[2], "a")
    def say(of=None, **line):
        told = json.dumps(line if of is None else {"of": of, **line})
        sys.stdout.write(told + "\\n")  # in one piece, as several threads tell
        sys.stdout.flush()
    def note(*words):
        print(*words, file=log, flush=True)
    def picture(grey):
        def part(kind, data):
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
        head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
        rows = zlib.compress((b"\\0" + bytes([grey]) * 8) * 8)
        parts = part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
        png = b"\\x89PNG\\r\\n\\x1a\\n" + parts
        return "data:image/png;base64," + base64.b64encode(png).decode()
    def make(ask):
        of, made = ask["of"], ask["make"]
        options = made["options"]
        if options.get("seed") == 666: os._exit(9)
        if options.get("seed") == 404:
            say(of, error="no such unit", status=404)
            return
        for step in range(1, options["steps"] + 1):
            if of in cancelled:
                note("cancelled", step)
                return
            say(of, step=step, steps=options["steps"], frame=picture(step % 250))
            time.sleep(pause)
        if made["folder"]: say(of, stored=f"{made['node']}/{made['unit']}")
        say(of, answer={
            "step": options["steps"], "score": 2.5, "scores": [2.5], "seconds": 0.1, "map": [4, 4],
            "driven": [[f"{made['node']}/{made['unit']}", 2.5]], "columns": 1, "rows": 1,
            "recipe": {"size": options.get("size", 128), **options}, "recipe_digest": "d" * 64,
            "frame": picture(255),
        })
        note("done", json.dumps(made))
    time.sleep(float(sys.argv[4]))
    say(answer="ready")
    for line in sys.stdin:
        ask = json.loads(line)
        if "cancel" in ask: cancelled.add(ask["cancel"])
        else: threading.Thread(target=make, args=(ask,), daemon=True).start()
    os._exit(0)
"""
"""Seed 666 kills it, seed 404 is refused. It notes what it did in a file."""


def command(log: Path, pause: float = 0.01, name: str = "", start: float = 0.0) -> list[str]:
    """Steps take `pause` seconds, to begin with takes `start`; `log` is the file that says what was
    done."""
    words = [str(pause), str(log), name, str(start)]
    return [sys.executable, "-c", textwrap.dedent(SCRIPT), *words]

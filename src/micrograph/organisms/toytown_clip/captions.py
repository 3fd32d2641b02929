"""Captions of toytown's pictures, made of facts: templates, synonyms, words left out at random.

Every caption comes with the facts that it states, so that for any picture it is known whether the
caption is true of it. The words of all captions together are the text tower's vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown_clip.facts import COLORS, FAMILIES, Facts

NAMES: dict[str, tuple[str, ...]] = {
    "car": ("car", "automobile"),
    "bus": ("bus", "coach"),
    "tram": ("tram", "streetcar"),
    "van": ("van",),
    "lorry": ("lorry", "truck"),
    "bicycle": ("bicycle", "bike"),
    "tractor": ("tractor",),
    "locomotive": ("locomotive", "engine"),
    "boat": ("boat", "sailboat"),
    "balloon": ("balloon",),
    "house": ("house", "cottage"),
    "church": ("church", "chapel"),
    "castle": ("castle", "fortress"),
    "windmill": ("windmill", "mill"),
    "lighthouse": ("lighthouse", "beacon"),
    "face": ("face", "person"),
    "cat": ("cat", "kitten"),
    "fox": ("fox",),
    "owl": ("owl", "bird"),
    "rabbit": ("rabbit", "bunny"),
    "zebra": ("zebra",),
    "giraffe": ("giraffe",),
    "fish": ("fish",),
    "butterfly": ("butterfly", "moth"),
    "flower": ("flower", "blossom"),
    "tree": ("tree",),
    "palm": ("palm",),
    "pine": ("pine", "fir"),
    "mushroom": ("mushroom", "toadstool"),
    "clock": ("clock", "watch"),
}
"""How the classes are called; the first name is the usual one."""

PLURALS: dict[str, str] = {
    "wheel": "wheels",
    "window": "windows",
    "door": "doors",
    "lamp": "lamps",
    "eye": "eyes",
    "ear": "ears",
    "whisker": "whiskers",
    "leg": "legs",
    "fin": "fins",
    "wing": "wings",
    "antenna": "antennas",
    "petal": "petals",
    "leaf": "leaves",
    "blade": "blades",
    "battlement": "battlements",
    "hand": "hands",
}
"""Parts of which a thing has several."""

PLACES: dict[str, tuple[str, ...]] = {
    "land": ("in a meadow", "on grass", "in the fields", "on land"),
    "street": ("on a street", "on the road", "in town"),
    "wall": ("before a wall", "against bricks"),
    "sea": ("at sea", "by the water"),
    "leaves": ("among leaves", "in the bushes"),
    "sky": ("in the sky", "among clouds"),
    "pattern": ("on a pattern", "on a textured background"),
}
LIGHTS: dict[str, tuple[str, ...]] = {
    "dark": ("at night", "in the dark"),
    "bright": ("in bright light", "on a sunny day"),
}
SIZES: dict[str, tuple[str, ...]] = {"small": ("small", "little"), "big": ("big", "large")}
OPENINGS = (
    "a picture of",
    "a drawing of",
    "an image of",
    "there is",
    "this is",
    "we see",
    "here is",
)
AROUND = ("on a {} background", "before {}", "with {} around")
GLUE = ("a", "an", "with", "and", "of", "that", "has", "the")
DROPPED = 0.25
"""Share of these that are left out of a sentence."""

Caption = tuple[str, Facts]
"""The text, and what it states."""


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in text.split()}


def vocabulary() -> tuple[str, ...]:
    """Every word of every caption, in alphabetical order."""
    phrases = (
        *OPENINGS,
        *(a.format("") for a in AROUND),
        *GLUE,
        *COLORS,
        *PARTS,
        *PLURALS.values(),
        *FAMILIES,
    )
    tables = (NAMES, PLACES, LIGHTS, SIZES)
    grouped = (text for table in tables for texts in table.values() for text in texts)
    return tuple(sorted(_words(phrases) | _words(grouped)))


def meaning(word: str) -> str | None:
    """The one fact that a word alone states, None for words that state none or only with others."""
    for kind, table in (("thing", NAMES), ("size", SIZES)):
        for value, names in table.items():
            if word in names:
                return f"{kind}:{value}"
    singular = {many: one for one, many in PLURALS.items()}.get(word, word)
    if singular in PARTS and word != "leaves":  # which is a setting as well
        return f"part:{singular}"
    return f"family:{word}" if word in FAMILIES else None


class Writer:
    """Captions from one random generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def _pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _some(self, found: list[str], most: int) -> list[str]:
        count = min(len(found), int(self.rng.integers(1, most + 1)))
        return [found[i] for i in self.rng.permutation(len(found))[:count]]

    def _part(self, part: str) -> str:
        return PLURALS[part] if part in PLURALS and self._chance(0.7) else part

    def _name(self, kind: str, value: str) -> str:
        usual = NAMES[value] if kind == "thing" else (value,)
        return usual[0] if self._chance(0.6) else self._pick(usual)

    def caption(self, facts: Facts) -> Caption:
        """A sentence, or now and then a bare list of one to three words."""
        known: dict[str, list[str]] = {}
        for fact in sorted(facts):
            kind, _, value = fact.partition(":")
            known.setdefault(kind, []).append(value)
        return self._bare(known) if self._chance(0.3) else self._sentence(known)

    def _bare(self, known: dict[str, list[str]]) -> Caption:
        """`wheels`, `red car`, `window and roof`, `night`."""
        kinds = ("thing", "part", "part", "color", "family", "setting", "light", "size")
        text, stated = "", set()
        for kind in self._some([k for k in kinds if k in known], 2):
            value = self._pick(tuple(known[kind]))
            if f"{kind}:{value}" in stated:
                continue
            word = {
                "part": lambda v: self._part(v),
                "color": lambda v: v,
                "setting": lambda v: self._pick(PLACES[v]),
                "light": lambda v: self._pick(LIGHTS[v]),
                "size": lambda v: self._pick(SIZES[v]),
            }.get(kind, lambda v, k=kind: self._name(k, v))(value)
            text += (" and " if text and self._chance(0.3) else " ") + word
            stated.add(f"{kind}:{value}")
        return text.strip(), frozenset(stated)

    def _sentence(self, known: dict[str, list[str]]) -> Caption:
        """`a picture of a small red car with wheels and a door on a street at night`."""
        stated: list[str] = []

        def say(kind: str, share: float) -> str | None:
            if kind not in known or not self._chance(share):
                return None
            value = self._pick(tuple(known[kind]))
            stated.append(f"{kind}:{value}")
            return value

        words: list[str] = []
        if size := say("size", 0.4):
            words.append(self._pick(SIZES[size]))
        if color := say("color", 0.5):
            words.append(color)
        kin = say("family", 0.15)
        words.append(
            self._name("family", kin) if kin else self._name("thing", say("thing", 1) or "")
        )
        words.insert(0, "an" if words[0][0] in "aeiou" else "a")
        if self._chance(0.5):
            words.insert(0, self._pick(OPENINGS))
        if "part" in known and self._chance(0.65):
            parts = self._some(known["part"], 3)
            stated += [f"part:{part}" for part in parts]
            words.append(self._pick(("with", "with", "that has")))
            words.append(" and ".join(self._part(part) for part in parts))
        if place := say("setting", 0.4):
            words.append(self._pick(PLACES[place]))
        elif around := say("around", 0.3):
            words.append(self._pick(AROUND).format(around))
        if light := say("light", 0.4):
            words.append(self._pick(LIGHTS[light]))
        loose = " ".join(words).split()
        kept = [w for w in loose if w not in GLUE or not self._chance(DROPPED)]
        return " ".join(kept), frozenset(stated)

"""The parts of a page that lenses make, each on its own: one that fails costs no other."""

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass

from micrograph.lenses import lenses
from micrograph.lenses.pages import generic
from micrograph.lenses.pages.listing import Section, page_of, words
from micrograph.lenses.pages.scene import Scene
from micrograph.web.failures import attempt


@dataclass(frozen=True, kw_only=True)
class BrokenPart:
    """In the place of a part whose lens failed; `message` says so in one line."""

    technique: str
    form: str
    message: str


LensPart = Section | BrokenPart


def lens_parts(scene: Scene, level: str) -> list[LensPart]:
    """The parts of a page, in reading order: the lenses of that level ("unit" or "node") that have
    something to show, and what those of units say of a node as a whole; then lenses without
    words."""
    found: list[LensPart] = []
    for name, one in lenses().items():
        page = page_of(name)
        section = page.section if one.words.level == level else page.node_section
        if section and level in (one.words.level, "node"):
            made = _attempt_part(name, section, scene)
            found += [made] if made else []
    for name in dict.fromkeys(v.technique for v in scene.found if v.technique not in lenses()):
        made = _attempt_part(name, generic.section, scene, name)
        found += [made] if made else []
    return found


def _attempt_part(
    lens: str, section: Callable[..., LensPart | None], *given: object
) -> LensPart | None:
    def make() -> LensPart | None:
        made = section(*given)
        if made is not None and not is_dataclass(made):
            raise TypeError(f"its section made no dataclass but {type(made).__name__}")
        return made

    def broken(message: str) -> LensPart:
        return BrokenPart(technique=lens, form="broken", message=message)

    return attempt(words(lens).title, make, broken)

"""Differences from the recorded answers where what a page said was not so."""

from typing import Any

from twin_compare import MISSING, Expected


def _is_pasteable(recorded: Any, now: Any) -> bool:
    """The same command, with something that a shell hands on in place of <...>."""
    before, mark, _ = str(recorded).partition("<")
    return bool(mark) and str(now).startswith(before.rpartition(" ")[0]) and "<" not in str(now)


def _imports(recorded: Any, now: Any) -> bool:
    """Weights that nobody can fetch are imported."""
    return "weights fetch" in str(recorded) and "weights import" in str(now)


def _is_too_large(recorded: Any, now: Any) -> bool:
    """A field that reaches over the edges is said to be all of the picture."""
    before = recorded == "the whole input" or " px, every " in recorded
    return before and now == "the whole picture"


_FIRES = "Pictures and stimuli on which a unit is silent do not show what it fires on."
_COUNTED = "What is made of a whole node counts for its units, and not as one more unit."
_PASTED = "Placeholders in <...> were read by the shell as files."
_FETCH = "Recommended where there is no file to fetch."

_CLASS_TOKEN = "A class token that has not seen the picture does not come from its patches."

SAID_TRUE = (
    Expected(
        r".+ /(models)?\.json", r"\$\.body\.(models|known)\[\d+\]\.nodes",
        lambda a, b: b < a, "Nodes with units of their own are counted, as on the model's page.",
    ),
    Expected(
        r".+ /compare\.json.+", r"\$\.body\.(here|there)\.nodes",
        lambda a, b: b > a, "Nodes with units of their own are counted, as on the model's page.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.rows\[\d+\]\.measure",
        lambda a, b: b.startswith(a + " of "), "Alike units say on which dataset.",
    ),
    Expected(
        r"all /models/toytown_vit\.json.*", r"\$\.body\.graph\.edges\.length",
        lambda a, b: b == a - 1, _CLASS_TOKEN,
    ),
    Expected(
        r"all /models/toytown_vit/patches\.json", r"\$\.body\.outputs\.length",
        lambda a, b: b == a - 1, _CLASS_TOKEN,
    ),
    Expected(  # those behind the edge that is gone, each one place earlier
        r"all /models/toytown_vit\.json.*",
        r"\$\.body\.graph\.edges\[\d+\]\.(path|source|target)",
        lambda a, b: isinstance(b, str), _CLASS_TOKEN,
    ),
    Expected(
        r".+", r"\$\.body\..*(node|node_facts|here|there)\.sees",
        _is_too_large, "No position sees more than the picture.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.(top|bottom|bands)\.length",
        lambda a, b: b < a, _FIRES,
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.histogram",
        lambda a, b: b is None and a["high"] < 1e-30, "All values are 0: there is nothing to draw.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.families\[\d+\]\.(best|image)",
        lambda a, b: b in ("", None), _FIRES,
    ),
    Expected(
        r".+lens=(tuning|dataset_examples).*", r"\$\.body\.units\[\d+\]\.(image|window)",
        lambda a, b: b is None, _FIRES,
    ),
    Expected(
        r".+/models/inceptionv1_caffe/.+",
        r"\$\.body\.sections\[\d+\]\.groups\[\d+\]\.quality\.(verdict|reasons\[\d+\])",
        lambda a, b: b == "unchecked" or str(b).startswith("Not judged: toytown is of another"),
        "Drawings are no judge of a network of photographs.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.groups\[\d+\]\.quality\.reasons\[\d+\]",
        lambda a, b: "real pictures" in a and "dataset" in b, "Drawings are no real pictures.",
    ),
    Expected(
        r".+/about\.json", r"\$\.body\.lenses\[\d+\]\.question",
        lambda a, b: "real pictures" in a and "dataset" in b, "Drawings are no real pictures.",
    ),
    Expected(
        r".+/models/\w+\.json.*", r"\$\.body\.rendered\[\d+\]\.(done|url)",
        lambda a, b: isinstance(b, str) or b > a or 0 < a - b < 10, _COUNTED,
    ),
    Expected(
        r".+", r"\$\.body\.(lenses\[\d+\]\.options|missing|missing\[\d+\]\.command)",
        _is_pasteable, _PASTED,
    ),
    Expected(
        r".+",
        r"\$\.body\.(note|look\.reason|render\.reason|(known\[\d+\]\.)?state\.commands\[0\])",
        _imports, _FETCH,
    ),
    Expected(
        r".+", r"\$\.body\.citations\[3\]\.text",
        lambda a, b: a.splitlines()[0] == b.splitlines()[0] and "author = " in b,
        "BibTeX is escaped, and names author and recipe.",
    ),
    Expected(
        r"all /models/toytown/mixed4a(/0)?\.json\?(picture|dataset)=nosuch", r"\$\..+",
        lambda a, b: b in (MISSING, 400, "error", "That did not work"),
        "A value that is not there is refused, no longer replaced by the first.",
    ),
    Expected(
        r"all /models/toytown\.json\?open=nosuch", r"\$\.body\.message",
        lambda a, b: b == "open='nosuch' is no repeated block; expected all", "All is one as well.",
    ),
    Expected(
        r"all /models/(.*/)?", r"\$\.location",
        lambda a, b: a == "http://site" + b, "A path holds behind every proxy.",
    ),
    Expected(
        r"all /models/toytown/mixed4a/0/map", r"\$\.(type|body)",
        lambda a, b: "html" in str(a), "Where answers are data, errors are.",
    ),
    Expected(
        r".+", r"\$\.body\.lenses\[\d+\]\.(question|explanation|reading|caution)",
        lambda a, b: isinstance(b, str) and b != "", "Lenses are told in plainer words.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.rows\[\d+\]\.title",
        lambda a, b: (a, b) == ("Reads its input alike", "Similar input weights"), "The same.",
    ),
    Expected(
        r".+", r"\$\.body\.sections\[\d+\]\.groups\[0\]\.quality\.reasons\[0\]",
        lambda a, b: b == "None of the pictures in photographs excites this unit: it may be dead.",
        "The same.",
    ),
    Expected(
        r".+", r"\$\.body\.note",
        lambda a, b: b == a.replace("names no place", "names no model, node or unit"), "The same.",
    ),
)  # fmt: skip

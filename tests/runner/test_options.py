"""Values of options are checked against what a technique's signature expects."""

import inspect
from typing import Any

import pytest

from micrograph import lenses as techniques
from micrograph.errors import BadInput, NotFound
from micrograph.models import load
from micrograph.runner.options import jobs_of, options_of

ODD: tuple[Any, ...] = (
    -1,
    0,
    3,
    3.5,
    1e9,
    float("nan"),
    float("inf"),
    None,
    True,
    "nonsense",
    [],
    [1],
    {},
    ["a", 1],
)
"""What JSON can say."""


def options(lens: str) -> list[str]:
    return [o for o in inspect.signature(techniques.get(lens).jobs).parameters if o != "model"]


@pytest.mark.parametrize("lens", techniques.names())
def test_every_option_takes_its_kind_only(lens: str) -> None:
    technique = techniques.get(lens)
    kinds = {o: str(p.annotation) for o, p in inspect.signature(technique.jobs).parameters.items()}
    for option in options(lens):
        passed, said = [], []
        for value in ODD:
            try:
                found = options_of([technique], {option: value})[lens][option]
            except BadInput as error:
                said.append(str(error))
            else:
                passed.append(found)
        assert all(line.startswith(f"{option} ") and "; expected " in line for line in said)
        kind = kinds[option]
        if "Sequence[str]" in kind:  # a single text is a sequence of one
            assert ("nonsense",) in passed
            assert all(isinstance(v, tuple | list) and 1 not in v for v in passed)
        elif "str" in kind:
            assert [v for v in passed if v is not None] == ["nonsense"]
        elif "bool" in kind:
            assert passed == [True]
        else:
            numbers = [v for v in passed if v is not None]
            assert numbers == ([-1, 0, 3, 3.5, 1e9] if "float" in kind else [-1, 0, 3])
        assert (None in passed) == ("None" in kind)


def test_options_go_to_those_that_have_them() -> None:
    both = [techniques.get("joint"), techniques.get("tuning")]
    own = options_of(both, {"steps": 3, "partner": "conv0:1", "variants": "hue"})
    assert own == {
        "joint": {"steps": 3, "partner": "conv0:1"},
        "tuning": {"variants": ("hue",)},
    }
    with pytest.raises(BadInput, match="joint and tuning has no option 'k'; its options are: part"):
        options_of(both, {"k": 3})


def test_a_variant_of_one_lens_is_refused_by_the_other_with_a_way_out() -> None:
    toytown = load("toytown", device="cpu")
    both = [techniques.get("feature_vis"), techniques.get("maco")]
    assert len(jobs_of(both, toytown, {"variants": ["channel"]})) == 2
    with pytest.raises(NotFound, match=r"'alpha' in maco; .* one lens at a time"):
        jobs_of(both, toytown, {"variants": ["alpha"]})
    with pytest.raises(NotFound) as alone:
        jobs_of(both[1:], toytown, {"variants": ["alpha"]})
    assert "every lens" not in str(alone.value)

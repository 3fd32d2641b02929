"""Values of options are checked against what the parameters of a lens are declared to be."""

import json
import math
import sys
from typing import Any

import pytest

from micrograph import lenses
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.params import Option
from micrograph.models import load
from micrograph.runner.options import jobs_of, options_of

ODD: tuple[Any, ...] = (
    -1,
    0,
    3,
    3.5,
    1e9,
    10**400,
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


def fits(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether JSON's `value` is one of these kinds, told apart by hand."""
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, float):
        return float in kinds and math.isfinite(value)
    if isinstance(value, list):
        return tuple in kinds and all(isinstance(v, str) for v in value)
    if isinstance(value, int):
        return int in kinds or (float in kinds and abs(value) <= sys.float_info.max)
    if isinstance(value, str):
        return str in kinds or tuple in kinds
    return value is None and type(None) in kinds


def outcome(option: Option, value: Any, lens: str) -> tuple[Any, str]:
    """What the option makes of a value, or what it says against it."""
    try:
        return option.checked(value, lens), ""
    except (BadInput, NotFound) as error:
        return None, str(error)


@pytest.mark.parametrize("lens", lenses.names())
def test_every_option_takes_its_kind_only(lens: str) -> None:
    for option in lenses.lens(lens).params.options():
        assert option.help, "every option says what it is"
        assert option.default is None or option.checked(option.default, lens) == option.default
        for value in ODD:
            found, said = outcome(option, value, lens)
            if said and (not fits(value, option.kinds) or (value == [] and option.default)):
                assert said.startswith(f"{option.name} ")
                assert f" of {lens} is not usable; expected " in said
            elif said:  # of the right kind, and out of range or none of the choices
                assert (option.low, option.high, option.choices) != (None, None, ())
            else:
                assert fits(value, option.kinds)
                assert type(found) in option.kinds
                low, high = option.low, option.high
                assert low is None or value is None or value >= low
                assert high is None or value is None or value <= high


@pytest.mark.parametrize("lens", lenses.names())
def test_parameters_go_through_json(lens: str) -> None:
    params = lenses.lens(lens).params
    assert params.from_json(json.loads(json.dumps(params().to_json()))) == params()
    with pytest.raises(BadInput, match=f"{lens} has no option 'nonsense'; its options are: "):
        params.from_json({"nonsense": 1})


def test_options_go_to_those_that_have_them() -> None:
    both = [lenses.get("joint"), lenses.get("tuning")]
    own = options_of(both, {"steps": 3, "partner": "conv0:1", "variants": "hue"})
    assert own == {
        "joint": {"steps": 3, "partner": "conv0:1"},
        "tuning": {"variants": "hue"},
    }
    with pytest.raises(BadInput, match="joint and tuning has no option 'k'; its options are: part"):
        options_of(both, {"k": 3})


def test_a_variant_of_one_lens_is_refused_by_the_other_with_a_way_out() -> None:
    toytown = load("toytown", device="cpu")
    both = [lenses.get("feature_vis"), lenses.get("maco")]
    assert len(jobs_of(both, toytown, {"variants": ["channel"]})) == 2
    with pytest.raises(NotFound, match=r"'alpha' in maco; .* one lens at a time"):
        jobs_of(both, toytown, {"variants": ["alpha"]})
    with pytest.raises(NotFound) as alone:
        jobs_of(both[1:], toytown, {"variants": ["alpha"]})
    assert "every lens" not in str(alone.value)

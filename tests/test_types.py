import json

import pytest

from core.errors import BadInput
from core.runs import layout, specs
from core.types import Param, Spec, check_params

WIDTH = Param("width", 64, (8, 256), "Units.")
RATE = Param("rate", 0.1, (1e-6, 1.0), "Rate.")
OUTPUT = Param("output", "bernoulli", ("bernoulli", "normal"), "Output.")


@pytest.mark.parametrize(
    ("param", "given", "expected"),
    [(WIDTH, "8", 8), (WIDTH, 256.0, 256), (RATE, "1e-3", 0.001), (RATE, 1, 1.0), (OUTPUT, "normal", "normal")],
)
def test_allowed_values_become_the_parameters_type(param, given, expected):
    found = param.check(given)
    assert found == expected
    assert type(found) is type(param.default)


@pytest.mark.parametrize(
    ("param", "given", "allowed"),
    [
        (WIDTH, 7, "a whole number from 8 to 256"),
        (WIDTH, 8.5, "a whole number from 8 to 256"),
        (WIDTH, "wide", "a whole number from 8 to 256"),
        (WIDTH, None, "a whole number from 8 to 256"),
        (WIDTH, True, "a whole number from 8 to 256"),
        (RATE, "nan", "a number from 1e-06 to 1.0"),
        (RATE, float("inf"), "a number from 1e-06 to 1.0"),
        (RATE, 0, "a number from 1e-06 to 1.0"),
        (OUTPUT, "poisson", "one of bernoulli, normal"),
    ],
)
def test_a_refusal_names_the_value_and_what_is_allowed(param, given, allowed):
    with pytest.raises(BadInput) as refusal:
        param.check(given)
    assert str(refusal.value) == f"{param.name}={given} is not allowed: choose {allowed}."


@pytest.mark.parametrize("param", [WIDTH, RATE])
def test_a_number_too_large_for_a_computer_is_refused_and_shortened(param):
    with pytest.raises(BadInput) as refusal:
        param.check(10**400)
    assert str(refusal.value) == f"{param.name}=1{'0' * 78}… is not allowed: choose {param.allowed}."


def test_unknown_parameters_are_named():
    with pytest.raises(BadInput, match="depth is no parameter of ae: it has width, rate"):
        check_params((WIDTH, RATE), {"depth": 3}, "ae")
    assert check_params((WIDTH, RATE), {"rate": "0.5"}, "ae") == {"width": 64, "rate": 0.5}


def spec(**changes):
    fields = {"params": {"b": 1, "a": 2.0}, "seed": 0, "dataset_params": {}, "version": 1, **changes}
    return Spec.of("digits", "ae", **fields)


def test_a_key_does_not_depend_on_order_and_does_on_everything_else():
    keys = {
        spec().key,
        spec(params={"b": 2, "a": 2.0}).key,
        spec(seed=1).key,
        spec(version=2).key,
        spec(dataset_params={"vocabulary_size": 5}).key,
    }
    assert len(keys) == 5
    assert spec(params={"a": 2.0, "b": 1}).key == spec().key
    assert hash(spec()) == hash(spec())


def test_a_spec_survives_json():
    assert Spec.from_json(json.loads(json.dumps(spec().to_json()))) == spec()


@pytest.mark.parametrize(
    "damage",
    [{}, {"dataset": "digits"}, [], None, {**spec().to_json(), "params": 3}, {**spec().to_json(), "seed": 1e999}],
)
def test_what_is_no_spec_is_refused(damage):
    with pytest.raises(BadInput, match="not a specification"):
        Spec.from_json(damage)


SHIPPED = list(layout.iterate_places(layout.SHIPPED))
OF_IMAGES = [place for place in SHIPPED if '"kind": "images"' in (place / "run.json").read_text()]


def test_runs_of_images_keep_their_keys():
    assert len(OF_IMAGES) > 30
    for place in OF_IMAGES:
        said = Spec.from_json(json.loads((place / "run.json").read_text())["spec"])
        made = specs.make(said.dataset, said.method, dict(said.params), said.seed, dict(said.dataset_params))
        assert layout.folder_name(made) == place.name


def test_a_parameter_of_another_kind_of_data_is_refused():
    with pytest.raises(BadInput, match="augment is no parameter of ae of documents: it has n_components"):
        specs.make("docstrings", "ae", {"augment": 0.5})
    with pytest.raises(BadInput, match="word_dropout is no parameter of vae of images"):
        specs.make("digits", "vae", {"word_dropout": 0.5})

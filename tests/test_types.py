"""Parameters and specifications: what is allowed, keys, and their JSON."""

import json
from dataclasses import replace

import pytest

from core.errors import BadInput
from core.runs import layout, specs
from core.types import Param, Spec, check_params

WIDTH = Param("width", 64, (8, 256), "Units.")
RATE = Param("rate", 0.1, (1e-6, 1.0), "Rate.")
OUTPUT = Param("output", "bernoulli", ("bernoulli", "normal"), "Output.")


def test_allowed_values_become_the_parameters_type():
    numbers = [(WIDTH, "8", 8), (WIDTH, 256.0, 256), (RATE, "1e-3", 0.001), (RATE, 1, 1.0)]
    for param, given, expected in (*numbers, (OUTPUT, "normal", "normal")):
        value = param.check(given)
        assert (value, type(value)) == (expected, type(param.default))


def test_refusal_names_the_value_and_what_is_allowed():
    whole, number = "a whole number from 8 to 256", "a number from 1e-06 to 1.0"
    for param, given, allowed in (
        *((WIDTH, value, whole) for value in (7, 8.5, "wide", None, True)),
        *((RATE, value, number) for value in ("nan", float("inf"), 0)),
        (OUTPUT, "poisson", "one of bernoulli, normal"),
    ):
        with pytest.raises(BadInput) as refusal:
            param.check(given)
        assert str(refusal.value) == f"{param.name}={given} is not allowed: choose {allowed}."
    with pytest.raises(BadInput, match=f"^rate=1{'0' * 78}… is not allowed: "):
        RATE.check(10**400)


def test_unknown_parameters_are_named():
    with pytest.raises(BadInput, match="depth is no parameter of ae: it has width, rate"):
        check_params((WIDTH, RATE), {"depth": 3}, "ae")
    assert check_params((WIDTH, RATE), {"rate": "0.5"}, "ae") == {"width": 64, "rate": 0.5}
    with pytest.raises(BadInput, match="augment is no parameter of ae of documents: it has n_components"):
        specs.make("docstrings", "ae", {"augment": 0.5})


def test_key_depends_on_everything_but_order_and_comes_back_from_json():
    spec = Spec.of("digits", "ae", {"b": 1, "a": 2.0}, 0, {}, 1)
    changes = ({}, {"params": (("a", 2.0), ("b", 2))}, {"seed": 1}, {"version": 2}, {"dataset_params": (("size", 5),)})
    assert len({replace(spec, **change).key for change in changes}) == 5
    assert Spec.of("digits", "ae", {"a": 2.0, "b": 1}, 0, {}, 1).key == spec.key
    document = json.loads(json.dumps(spec.to_json()))
    assert Spec.from_json(document) == spec
    for damaged in ({}, [], None, {**document, "params": 3}, {**document, "seed": 1e999}):
        with pytest.raises(BadInput, match="not a specification"):
            Spec.from_json(damaged)


def test_shipped_runs_of_images_keep_their_keys():
    documents = [json.loads((place / "run.json").read_text()) for place in layout.iterate_places(layout.SHIPPED)]
    of_images = [Spec.from_json(doc["spec"]) for doc in documents if doc["environment"]["kind"] == "images"]
    assert len(of_images) > 30
    for spec in of_images:
        assert specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params)) == spec

"""Messages of dragging in latent space: read as the browser reads them, and hostile answers."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.decoder_export import Layer
from core.errors import BadInput
from core.frontend import latent
from core.frontend.latent import Axis, Gaussian, Scene, State
from tests.frontend.messages import read_message

ID, OTHER = "0123456789abcdef", "f" * 16
AXES = Axis(-1, 2, 0.5, "1.0"), Axis(-3, 3, is_active=False), Axis(0, 1)
CODES, LABELS, NUMBERS = np.arange(12).reshape(4, 3) / 7, np.array([0, 1, -1, 1]), np.array([3, 5, 8, 70000])
SCENE = Scene(
    ID, "sliders", "d", (8, 6), AXES, CODES, LABELS, NUMBERS, ("</script>", "b"), starts=(2, 0), order=(2, 0, 1)
)


def test_decoder_grid_and_answer_messages():
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    layer = Layer(np.float16(np.random.default_rng(0).random((2, 3))), ones, zeros, "relu")
    header, arrays = read_message(latent.make_decoder_message(ID, [layer, replace(layer, activation="sigmoid")]))
    assert header == {"kind": "decoder", "id": ID, "activations": ["relu", "sigmoid"]}
    assert (arrays["weight1"].dtype, arrays["weight1"].tolist()) == (np.float16, layer.weight.ravel().tolist())
    header, arrays = read_message(latent.make_answer_message(ID, "17", np.arange(4, dtype=np.uint8)))
    assert (header, arrays["image"].tolist()) == ({"kind": "answer", "id": ID, "turn": "17"}, [0, 1, 2, 3])
    header, arrays = read_message(latent.make_grid_message(ID, np.zeros((6, 4), np.uint8), 3))
    assert (header["kind"], header["columns"], arrays["images"].size) == ("grid", 3, 24)


def test_scene_message_has_what_is_drawn():
    state, fitted = State((0.1, 0.2, 0.3), (2, 0), (1,)), Gaussian(False, np.ones(3), 2 * np.eye(3))
    header, arrays = read_message(latent.make_scene_message(replace(SCENE, gaussian=fitted), state, "p"))
    assert header["axes"][0] == {"low": -1, "high": 2, "start": 0.5, "note": "1.0", "active": True}
    assert [header[name] for name in ("code", "pad", "frozen", "order")] == [[0.1, 0.2, 0.3], [2, 0], [1], [2, 0, 1]]
    assert (header["names"], header["gaussian"], header["prior"]) == (["</script>", "b"], True, False)
    assert arrays["covariance"].tolist() == (2 * np.eye(3)).ravel().tolist()
    assert arrays["codes"] == pytest.approx(CODES.ravel(), abs=1e-3)
    assert arrays["rows"].tolist() == NUMBERS.tolist()
    # Images in a grid fill about a square.
    for height, width in ((28, 28), (20, 28), (8, 6)):
        columns, lines = latent.choose_grid_shape((height, width))
        assert 0.9 < columns * width / (lines * height) < 1.1


def test_codes_dimensions_states_and_questions_come_back():
    for code, text in [
        ((0.5234, -1.3), "0.523_-1.3"),
        ((1e-9, 123456), "0_123000"),
        ((-0.00123, 9.999), "-0.00123_10"),
    ]:
        assert latent.format_code(code) == text
        assert latent.parse_code(text, len(code)) == pytest.approx(code, rel=5e-3, abs=1e-4)
    assert latent.format_dimensions((0, 9)) == "1_10"
    assert [latent.parse_dimensions(text, 10, 2) for text in ("1_10", "")] == [(0, 9), ()]
    assert latent.parse_state(f"{ID}|0.5_-1_2|3_1|2|", ID, 3) == State((0.5, -1, 2), (2, 0), (1,), "")
    assert latent.parse_state(f"{ID}|0.5_-1|||both", ID, 2) == State((0.5, -1), behind="both")
    assert latent.parse_state(f"{OTHER}|0|||", ID, 3) is None
    assert latent.parse_question(f"{ID}|17|1_2", ID, 2) == ("17", (1, 2))
    assert latent.parse_question(f"{OTHER}|17|1", ID, 2) is None


def test_malformed_text_is_refused_in_one_sentence():
    codes = ("", "1_2_3", "a_b", "nan_0", "1e5_0", "1__2", "1_2 ", "١_٢", "1_" * 9999, "99999999_0")
    dimensions = ("0", "11", "1_1", "1_2_3", "a", "-1", "1.5", "²", "1" * 50)
    states = (None, 3, "", "x|1_2_3|||", ["a"], *(f"{ID}|{rest}" for rest in ("", "1_2|||", "1_2_3|||x")))
    questions = (None, "", f"{ID}|x|1_2", f"{ID}|1|1_2_3", f"{ID}|1|nan_2", f"{ID}|-1|1_2")
    for texts, parse, arguments in (
        (codes, latent.parse_code, (2,)),
        (dimensions, latent.parse_dimensions, (10, 2)),
        (states, latent.parse_state, (ID, 3)),
        (questions, latent.parse_question, (ID, 2)),
    ):
        for text in texts:
            with pytest.raises(BadInput) as refused:
                parse(text, *arguments)
            assert len(str(refused.value)) < 200

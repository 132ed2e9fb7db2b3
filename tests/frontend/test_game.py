"""Messages of the game: read as the browser reads them, and hostile answers."""

import numpy as np

from core.frontend import game
from core.frontend.game import Thumbnail
from tests.frontend.messages import read_message


def test_message_has_the_game_and_hostile_rates_are_refused():
    mixture = {"weights": np.array([0.4, 0.6]), "means": np.arange(4.0), "deviations": np.ones(2)}
    frames = {"rounds": np.array([0, 20], np.int32), "generator": np.ones((2, 3), np.float16)}
    thumbnails = [Thumbnail("<b>", "One", np.array([[1.004, 2]]), np.zeros((0, 2)))]
    options = {"thumbnails": thumbnails, "chosen": "<b>", "mode": [1.5]}
    header, arrays = read_message(game.make_game_message("k", {"seed": 3}, mixture, frames, **options))
    assert (header["key"], header["settings"], header["rounds"], header["mode"]) == ("k", {"seed": 3}, [0, 20], [1.5])
    assert header["presets"][0]["points"] == {"real": [1.0, 2.0], "generated": []}
    assert (arrays["means"].tolist(), arrays["generator"].dtype) == ([0, 1, 2, 3], np.float16)
    assert header["colours"]["light"].keys() == header["colours"]["dark"].keys()
    assert game.parse_rates({"G": 0.003, "D": 0.001}) == {"G": 0.003, "D": 0.001}
    for value in (None, {}, [], {"G": "x", "D": 1}, {"G": float("nan"), "D": 0.1}, {"G": 1e9, "D": 0.1}, {"G": 0.1}):
        assert game.parse_rates(value) is None

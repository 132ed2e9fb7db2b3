import numpy as np

from core.nn import quantization


def test_quantization_rounds_rows_to_a_254th_of_their_range():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(200, 100)) * np.logspace(-6, 3, 200)[:, None]
    wide[7] = 0
    arrays = {
        "layer.weight": wide.astype(np.float16),
        "conv.weight": rng.normal(size=(50, 10, 5, 5)).astype(np.float32),
        "norm.scale": np.ones(5, np.float32),
        "rows": np.ones((200, 100), np.int64),
    }
    stored = quantization.to_int8(arrays)
    assert {name for name, array in stored.items() if array.dtype == np.int8} == {"layer.weight", "conv.weight"}
    back = quantization.to_floats(stored)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        within = 0.0
        if name in ("layer.weight", "conv.weight"):
            axes = tuple(range(1, array.ndim))
            within = np.abs(array.astype(np.float64)).max(axis=axes, keepdims=True) / 254 * (1 + 1e-5)
        assert (np.abs(back[name].astype(np.float64) - array) <= within).all()

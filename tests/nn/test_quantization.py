import numpy as np

from core.nn import quantization


def test_quantization_rounds_rows_to_a_254th_of_their_range():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(200, 100)) * np.logspace(-6, 3, 200)[:, None]
    wide[7] = 0
    large = {"layer.weight": wide.astype(np.float16), "conv.weight": rng.normal(size=(50, 10, 5, 5)).astype(np.float32)}
    others = {"norm.scale": np.ones(5, np.float32), "rows": np.ones((200, 100), np.int64)}
    stored = quantization.to_int8(large | others)
    assert {name for name, array in stored.items() if array.dtype == np.int8} == set(large)
    back = quantization.to_floats(stored)
    assert back.keys() == (large | others).keys()
    assert all(back[name] is array for name, array in others.items())
    for name, array in large.items():
        rows = array.reshape(len(array), -1).astype(np.float64)
        step = np.abs(rows).max(axis=1, keepdims=True) / 127
        assert (np.abs(back[name].reshape(rows.shape) - rows) <= step / 2 * (1 + 1e-5)).all()

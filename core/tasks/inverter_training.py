"""Regressors of GAN inverters: shipped, or fitted in about a minute in a process of their own.

See `core.methods.gan_inverter` and `core.tasks.computation`. Torch is imported on use.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core import cache, datasets, files
from core.errors import HourglassError
from core.methods import gan_inverter
from core.methods.gan import GAN
from core.nn import quantization
from core.runs import reader
from core.tasks.computation import Work

FOLDER = Path(__file__).parents[2] / "assets" / "inverters"
# Raised when the regressor or its training changes: results of another version are not found.
_VERSION = 1


def regressor_key(gan: GAN) -> str:
    """Return the name of this GAN's regressor; it changes with the generator and with the version of the training."""
    weights = gan.networks_["averaged"].state_dict()
    return cache.make_key(_VERSION, *(part for name in sorted(weights) for part in (name, weights[name].numpy())))


def regressor_path(run_key: str) -> Path:
    """Return the file of the regressor that is shipped for a run."""
    return FOLDER / f"{run_key}.safetensors"


def load_inverter(run_key: str, gan: GAN) -> gan_inverter.GANInverter | None:
    """Return the fitted inverter of a run's GAN, shipped or from the user's cache; None if there is none."""
    return load_shipped_inverter(run_key, gan) or _restore(gan, WORK.find_result(regressor_key(gan)))


def load_shipped_inverter(run_key: str, gan: GAN) -> gan_inverter.GANInverter | None:
    """Return the shipped inverter of a run; None if its file is absent, damaged or of another generator."""
    try:
        with safe_open(regressor_path(run_key), "np") as file:
            if (file.metadata() or {}).get("generator") != regressor_key(gan):
                return None
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, this file can't be iterated
    except (OSError, SafetensorError):
        return None
    return _restore(gan, quantization.to_floats(arrays))


def _restore(gan: GAN, arrays: Mapping[str, np.ndarray] | None) -> gan_inverter.GANInverter | None:
    try:
        return None if arrays is None else gan_inverter.GANInverter(gan).restore(arrays)
    except (KeyError, RuntimeError, TypeError, ValueError):
        return None


def write_regressor(run_key: str, gan: GAN, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a regressor, as returned by `GANInverter.arrays`, to be shipped; return its file."""
    path = regressor_path(run_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {name: np.array(a, order="C") for name, a in arrays.items()}
    with files.replace_file(path) as temporary:
        save_file(contiguous, temporary, metadata={"generator": regressor_key(gan)})
    return path


def start_fit(place: Path, gan: GAN) -> None:
    """Start to fit the regressor of the GAN of the run in `place`; raises HourglassError as `Work.start`."""
    run = os.fsencode(place.absolute())
    WORK.start(regressor_key(gan), lambda folder: (folder / "run").write_bytes(run))


def _fit_regressor(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    place = Path(os.fsdecode((folder / "run").read_bytes()))
    gan, spec = reader.read_estimator(place), reader.read_run(place).spec
    if regressor_key(gan) != folder.name:
        raise HourglassError("This run was trained again meanwhile: fit its regressor again.")
    X = None
    if datasets.is_available(spec.dataset):
        X = datasets.load(spec.dataset, **dict(spec.dataset_params)).floats("train")
    return gan_inverter.GANInverter(gan).fit(X, on_tick=lambda row: report(row["share"])).arrays()


WORK = Work("core.tasks.inverter_training", "inverters", "inverter", "regressor", _fit_regressor)


if __name__ == "__main__":
    WORK.main()

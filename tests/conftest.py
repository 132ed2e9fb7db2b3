import os

import pytest
import torch

# Networks here are tiny, and a second thread on a busy machine only waits for the first.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_runs_folder(tmp_path_factory, monkeypatch):
    """No test reads or writes the runs of the person at the machine."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="session")
def full_data():
    """The folder of full data sets, where this machine has them."""
    folder = os.environ.get("HOURGLASS_DATA")
    if not folder:
        pytest.skip("HOURGLASS_DATA names no folder of full data sets")
    return folder

import importlib
from pathlib import Path

import pytest

from core.tasks import computation


@pytest.fixture
def in_process(own_cache, monkeypatch):
    """Let computations run in this process, at once."""
    run = lambda module, folder, log: importlib.import_module(module).WORK.run(Path(folder))
    monkeypatch.setattr(computation, "start_process", run)

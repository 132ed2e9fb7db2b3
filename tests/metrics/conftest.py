import pytest

from core.metrics import checks


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(checks, "_CHUNK_ELEMENTS", 100)

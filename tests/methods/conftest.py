import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    """On a busy machine, further threads of t-SNE only wait for the first."""
    with threadpool_limits(1):
        yield

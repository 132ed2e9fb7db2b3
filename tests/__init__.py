import os

# Set before any library loads them: tests are small, and on a busy machine a second thread only waits for the first.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

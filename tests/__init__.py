import os

# Set before any library loads OpenMP: a thread that waits for others leaves the processor to them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

"""The lecture's ideas as small computations, each held against a closed form or another computation."""

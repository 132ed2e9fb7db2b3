"""Metrics: arrays in, numbers out. `definitions` describes each metric; pages show its text as help."""

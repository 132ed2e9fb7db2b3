"""From a Spec to a Run: fit a method, store it, measure it."""

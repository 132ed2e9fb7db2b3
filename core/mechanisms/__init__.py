"""The ideas of the lecture as small computations, each checked against a closed form or another computation."""

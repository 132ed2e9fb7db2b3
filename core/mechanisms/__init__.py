"""The ideas of the lecture as small computations, each checked against exact values."""

"""Networks, losses and the one training loop."""

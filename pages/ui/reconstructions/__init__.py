"""Parts of the page Reconstructions."""

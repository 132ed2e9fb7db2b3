"""Parts of the page Documents."""

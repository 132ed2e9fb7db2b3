"""Parts of the page Labelled fraction."""

"""The experiments of the page Mechanisms, one a file."""

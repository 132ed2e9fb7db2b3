"""Parts of the page Exercises."""

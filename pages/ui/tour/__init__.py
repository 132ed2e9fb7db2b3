"""Parts of the page Tour."""

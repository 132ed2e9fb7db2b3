"""Parts of a workshop's room: its routes, its page, and the opening of all views beforehand."""

"""Pictures of the steps of the tour, a module a topic."""

"""Figures of the page Concept demos, a module for each demo."""

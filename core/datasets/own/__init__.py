"""Data sets that a person brings: files read, checked, prepared by a recipe and stored."""

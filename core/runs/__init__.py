"""Specs and runs: presets, the store on disk, and runs as zip files."""

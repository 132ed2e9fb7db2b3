"""Figures: arrays and frames in, pictures out. `rasters` gives PNG, `maps` and `curves` give plotly figures.

Nothing here knows torch or scikit-learn. plotly takes longest to import, so a page whose first screen needs no plotly
figure imports `maps` and `curves` where it opens one.
"""

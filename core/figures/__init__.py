"""Figures: arrays in, plotly figures, SVG or PNG out.

Importing plotly is slow: a page whose first screen has no plotly figure imports `montages`, `palette` and `svg` only.
"""

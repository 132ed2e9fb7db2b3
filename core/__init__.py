"""Hourglass without its pages: data sets, methods, training, metrics, figures and the store."""

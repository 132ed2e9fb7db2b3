"""Example tables from scikit-learn, as CSV files that a person can look at and add."""

import io
from functools import cache

LABELS = {"wine": "Wine", "breast_cancer": "Breast cancer", "diabetes": "Diabetes"}


@cache
def make_file(name: str) -> tuple[str, bytes]:
    """The name and content of an example's file; its last column is the class, or the target of a regression."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.data.copy()
    if hasattr(bunch, "target_names"):
        frame["class"] = bunch.target_names[bunch.target]
    else:
        frame["progression"] = bunch.target
    text = io.StringIO()
    frame.to_csv(text, index=False)
    return f"{name}.csv", text.getvalue().encode()

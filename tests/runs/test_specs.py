import pytest

from core.errors import BadInput
from core.runs import specs


def test_impossible_specs_are_refused_in_words():
    for message, *arguments in (
        ("LSA does not fit .* images: choose one of pca", "digits", "lsa"),
        ("GAN does not fit .* documents: choose one of lsa", "docstrings", "gan"),
        ("n_components=0 is not allowed: .* a whole number from 1 to 256", "digits", "pca", {"n_components": 0}),
        ("seed=-1 is not allowed", "digits", "pca", {}, -1),
        ("vocabulary_size", "docstrings", "lsa", {}, 0, {"vocabulary_size": 1}),
    ):
        with pytest.raises(BadInput, match=message):
            specs.make(*arguments)

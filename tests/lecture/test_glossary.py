"""The glossary: one sentence a term, each spelling once, found in texts where it stands as a word."""

from collections import Counter

import pytest

from core.lecture import glossary

TERMS = glossary.read_terms()


def test_every_term_has_one_sentence_and_spellings_of_its_own():
    assert len(TERMS) >= 40
    spellings = Counter(spelling.lower() for term in TERMS for spelling in {term.name, *term.also})
    assert [spelling for spelling, n in spellings.items() if n > 1] == []
    assert len({term.slug for term in TERMS}) == len(TERMS)
    for term in TERMS:
        assert term.definition[0].isupper(), term.name
        assert term.definition.endswith("."), term.name
        assert ". " not in term.definition.replace("e.g. ", ""), term.name
        assert len(term.definition) < 200, term.name


def test_terms_are_found_as_words_and_the_longest_first():
    text = "Encoders of a VAE; log-likelihoods, the KL divergence KL(q ‖ p) and KL(x), N(0, I) vaes, "
    text += "the Reconstruction error."
    parts = list(glossary.find_terms(text))
    assert "".join(part for part, _ in parts) == text
    assert [(part, term.name) for part, term in parts if term] == [
        ("Encoders", "encoder"),
        ("VAE", "VAE"),
        ("KL divergence", "KL divergence"),
        ("KL(q ‖ p)", "KL divergence"),
        ("N(0, I)", "N(0, I)"),
        ("Reconstruction error", "reconstruction error"),
    ]
    assert list(glossary.find_terms("")) == []


@pytest.mark.parametrize("content", [None, "[encoder", "encoder = 3"])
def test_pages_go_on_without_a_glossary(content, tmp_path, monkeypatch):
    file = tmp_path / "glossary.toml"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(glossary, "FILE", file)
    monkeypatch.setattr(glossary, "read_terms", glossary.read_terms.__wrapped__)
    assert list(glossary.find_terms("an encoder")) == [("an encoder", None)]

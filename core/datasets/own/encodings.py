"""Encodings of text files, guessed from their bytes."""

import codecs
import re

import charset_normalizer
import numpy as np

_SAMPLE = 100_000  # bytes in which the zeros of UTF-16 are looked for
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATIN = ("cp1252", "cp1250", "cp850", "mac_roman")
_USUAL_LETTERS = "äöüßéèêëàâáçñóíúåøæœôîïûãõýžščřěůňťďąęłńśźżćőű"
_OTHER_SCRIPTS = (
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp866"),
    *("cp1253", "cp1255", "cp1256", "cp874"),
)
ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "iso8859_2", "iso8859_15"),
    *(*_LATIN, *_OTHER_SCRIPTS),
)


def guess_encoding(content: bytes) -> str:
    for bom, name in _BOMS:
        if content.startswith(bom):
            return name
    head = content[:_SAMPLE]
    even, odd = (head[k::2].count(0) / (len(head[k::2]) or 1) for k in (0, 1))
    if max(even, odd) > 0.3 and min(even, odd) < 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    if content.isascii() or _is_mostly(content, "utf-8"):
        return "utf-8"
    return _guess_legacy_encoding(content)


def _is_mostly(content: bytes, encoding: str) -> bool:
    n_broken, n_foreign = count_broken(content, encoding)
    return n_broken <= 0.1 * n_foreign


def count_broken(content: bytes, encoding: str) -> tuple[int, int]:
    """Characters that are none in this encoding, and all that are not ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    n_broken = n_foreign = 0
    for start in range(0, len(content), 1_000_000):
        try:
            text = decoder.decode(content[start : start + 1_000_000])
        except UnicodeError:  # UTF-16 without a mark
            return 1, 1
        if not text.isascii():
            n_broken += text.count("\ufffd")
            n_foreign += int((np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32) > 127).sum())
    return n_broken, n_foreign


def _guess_legacy_encoding(content: bytes) -> str:
    """A code page of the Latin script, unless most letters are outside of ASCII."""
    lines = content.replace(b"\r", b"\n").split(b"\n", 200_000)[:200_000]
    sample = b"\n".join([lines[0], *(line for line in lines[1:] if not line.isascii())])[:20_000]
    n_foreign = sum(byte > 127 for byte in sample)
    n_letters = n_foreign + sum(map(len, re.findall(rb"[A-Za-z]+", sample)))
    n_in_words = sum(map(len, re.findall(rb"[\x80-\xff]{2,}", sample)))
    if n_foreign > 0.4 * n_letters and n_in_words > 0.5 * n_foreign:
        guess = charset_normalizer.from_bytes(sample, cp_isolation=list(_OTHER_SCRIPTS)).best()
        if guess is not None and _is_mostly(content, guess.encoding):
            return guess.encoding
    return max(_LATIN, key=lambda name: _score_letters(sample.decode(name, "replace")))


def _score_letters(text: str) -> int:
    """How well the characters that are not ASCII fit in words: usual letters among letters, other signs outside."""
    score = 0
    for before, sign, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if sign > "\x7f":
            is_odd = sign in "\ufffdŸƒˆ˜¸¨" or (before.islower() and sign.isupper())
            is_in_word = before.isalpha() and after.isalpha()
            if not sign.isalpha():
                score += -2 if is_odd or (is_in_word and sign not in "’–—") else 1
            elif is_odd or sign.lower() in _USUAL_LETTERS or (sign in "ìòù" and not after.isalpha()):
                score += -2 if is_odd else before.isalpha() or after.isalpha()
    return score

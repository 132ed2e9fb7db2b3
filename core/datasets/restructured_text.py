"""Parses reStructuredText into blocks without markup."""

import re
import textwrap

HEADING, PARAGRAPH, CODE = "heading", "paragraph", "code"
_UNDERLINE = re.compile(r"(=|-|~|\^|\"|\*|#|\+){3,}\s*")
_DIRECTIVE = re.compile(r"(?P<indent>\s*)\.\. (?P<name>[\w:-]+?):: ?(?P<rest>.*)")
_TARGET = re.compile(r"\s*\.\. _[^:]+:.*")
_OPTION = re.compile(r"\s+:[\w-]+:.*")
# Directives whose content is code, and those that are dropped; others are named.
_CODE = {"math", "code", "code-block", "sourcecode", "ipython", "plot", "testcode", "testsetup", "doctest"}
_DROPPED = {"image", "figure", "index", "currentmodule", "module", "autosummary", "toctree", "only", "highlight"}
_TITLES = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "seealso": "See also:",
}
_INLINE = (
    # :role:`text <target>`, :role:`~package.name`, :role:`text`
    (re.compile(r":[\w:+.-]+:`([^`<]+?)\s*<[^`>]+>`"), r"\1"),
    (re.compile(r":[\w:+.-]+:`~(?:[^`]*\.)?([^`.]+)`"), r"\1"),
    (re.compile(r":[\w:+.-]+:`!?([^`]+)`"), r"\1"),
    (re.compile(r"``(.+?)``", re.S), r"\1"),
    # `text <address>`_, `name`_, `name`
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`__?"), r"\1"),
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"(\[[\w#*]+\])_(?!\w)"), r"\1"),
    (re.compile(r"(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])", re.S), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*?[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"\\(?=[*`_|\\ ])"), ""),
)


def parse_blocks(text: str) -> list[tuple[str, str]]:
    """The blocks of a text: `HEADING`, `PARAGRAPH` or `CODE`, and its text; code keeps its spaces."""
    lines, found = text.expandtabs().splitlines(), []
    k = 0
    while k < len(lines):
        line = lines[k]
        if not line.strip() or _TARGET.fullmatch(line) or _UNDERLINE.fullmatch(line):
            k += 1
        elif k + 1 < len(lines) and _is_underline(lines[k + 1], line):
            found.append((HEADING, strip_markup(line.strip())))
            k += 2
        elif match := _DIRECTIVE.fullmatch(line):
            k = _directive(match, lines, k + 1, found)
        elif line.lstrip().startswith(">>>"):
            end = next((n for n in range(k, len(lines)) if not lines[n].strip()), len(lines))
            found.append((CODE, _dedented(lines[k:end])))
            k = end
        else:
            k = _paragraph(lines, k, found)
    return found


def strip_markup(text: str) -> str:
    """A line or paragraph without roles, literals, links and emphasis."""
    for pattern, kept in _INLINE:
        text = pattern.sub(kept, text)
    return text


def _is_underline(line: str, above: str) -> bool:
    return bool(_UNDERLINE.fullmatch(line)) and abs(len(line.strip()) - len(above.strip())) <= 2


def _indented(lines: list[str], k: int, indent: int) -> tuple[int, list[str]]:
    """End and lines of the part from `k` on that is blank or indented by more."""
    start = k
    while k < len(lines) and (not lines[k].strip() or len(lines[k]) - len(lines[k].lstrip()) > indent):
        k += 1
    return k, lines[start:k]


def _directive(match: re.Match, lines: list[str], k: int, found: list[tuple[str, str]]) -> int:
    name, rest = match["name"], match["rest"].strip()
    k, content = _indented(lines, k, len(match["indent"]))
    while content and (_OPTION.fullmatch(content[0]) or not content[0].strip()):
        content = content[1:]
    if name in _DROPPED:
        return k
    if name in _CODE:
        code = _dedented(([rest] if name == "math" and rest else []) + content)
        if code.strip():
            found.append((CODE, code))
        return k
    title = _TITLES.get(name, f"{name.capitalize()}:")
    inner = parse_blocks("\n".join([rest, _dedented(content)]))
    if inner and inner[0][0] == PARAGRAPH:
        inner[0] = (PARAGRAPH, f"{title} {inner[0][1]}")
    else:
        found.append((PARAGRAPH, title))
    found += inner
    return k


def _paragraph(lines: list[str], k: int, found: list[tuple[str, str]]) -> int:
    """Parse lines up to the next block, and the code that ``::`` announces after them."""
    start = k
    while k < len(lines) and lines[k].strip():
        next_is_underline = k + 1 < len(lines) and _is_underline(lines[k + 1], lines[k])
        is_other = _DIRECTIVE.fullmatch(lines[k]) or _TARGET.fullmatch(lines[k]) or lines[k].lstrip().startswith(">>>")
        if k > start and (next_is_underline or is_other):
            break
        k += 1
    part = lines[start:k]
    indent = len(part[-1]) - len(part[-1].lstrip())
    announces = part[-1].rstrip().endswith("::")
    if announces:
        part = [*part[:-1], part[-1].rstrip().removesuffix("::").rstrip() + ":"]
    part = [re.sub(r"^(\s*)\.\. (?=\[)", r"\1", line) for line in part]
    said = strip_markup("\n".join(line.rstrip() for line in part))
    if said.strip(": \n"):
        found.append((PARAGRAPH, said))
    if announces:
        k, code = _indented(lines, k, indent)
        if _dedented(code).strip():
            found.append((CODE, _dedented(code)))
    return k


def _dedented(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in textwrap.dedent("\n".join(lines)).split("\n")).strip("\n")

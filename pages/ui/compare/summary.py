"""The sentences of Compare; one that names a winner takes it from the paired intervals."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import streamlit as st

from core.analysis import table_cells
from core.metrics.definitions import DEFINITIONS
from core.runs import selection
from core.types import ROW_NAMES, TABLES, Dataset, Run
from pages.ui.compare import rows
from pages.ui.shared import run_picker
from pages.ui.shared.number_format import compact, number
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import OF_CODES, Line, select_comparable
from pages.ui.shared.text import join_words, plain

_BASELINES = {
    "category_accuracy": "the most frequent categories give a category accuracy of",
    "knn_accuracy": "the most frequent class gives an accuracy of",
}


def explain(view: View) -> str:
    """What is compared, and on which rows, in two sentences."""
    size = "1 latent dimension" if view.size == 1 else f"{view.size} latent dimensions"
    if not view.trained:
        return f"No method is trained on {view.entry.label} at {size} yet."
    row = ROW_NAMES[view.entry.kind]
    coders = _list_methods(line for line in view.trained if line.entry.encodes)
    samplers = _list_methods(line for line in view.trained if not line.entry.encodes)
    parts = []
    if coders:
        compress, reconstruct = ("compresses", "reconstructs") if len(coders) == 1 else ("compress", "reconstruct")
        parts.append(f"{join_words(coders)} {compress} each {view.entry.label} {row} to {size} and {reconstruct} it")
    if samplers:
        parts.append(f"{join_words(samplers)} only generate{'s' if len(samplers) == 1 else ''}")
    runs = [line.run for line in select_comparable(view.lines) or view.trained]
    n_train, n_test = (_span([run.environment[count] for run in runs]) for count in ("n_train", "n_test"))
    n_mapped = f"{max(len(run.views['shown_rows']) for run in runs):,}"
    strata = ", stratified by class" if view.entry.has_labels else ""
    maps = "" if n_mapped == n_test else f"; maps show the same {n_mapped} of them{strata}"
    compared = "; ".join(parts)
    return f"{compared[0].upper()}{compared[1:]}. Trained on {n_train} {row}s, evaluated on {n_test} test {row}s{maps}."


def _list_methods(lines: Iterable[Line]) -> list[str]:
    """The lines' methods within a sentence: ``["PCA", "a linear AE", "an AE"]``."""
    named = {}
    for entry in (line.entry for line in lines):
        article = "an" if entry.label[0] in "AEIO" else "a"
        is_proper_name = entry.is_linear and not entry.converges_to
        named[entry.name] = entry.label if is_proper_name else f"{article} {entry.label}".replace("Lin", "lin")
    return list(named.values())


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def warn_of_copies(view: View) -> None:
    """Warn of runs on other data than those on this machine, which are not ranked."""
    if view.trained and not select_comparable(view.lines):
        st.warning("These runs were evaluated on different copies or settings of the data set: none is marked as best.")
    run_picker.warn_of_other_copies(view)
    versions = [line.run.environment.get("versions", {}) for line in view.trained]
    if changed := sorted(set(chain.from_iterable(map(view.entry.changed_libraries, versions)))):
        text = f"{view.entry.label} come from installed libraries, and these runs used another release of "
        text += f"{join_words(changed)}: training on this machine uses other documents."
        st.warning(plain(f"{text} To train again, see “Reproduce” in “All measures”."))


def draw_findings(view: View, winners: Mapping[str, str | None]) -> None:
    """Draw the sentences on the best methods and on their budgets."""
    if best := describe_winners(view.lines, winners):
        scope = "The 95% intervals cover the test rows, not repeated training: another seed may change the order."
        st.markdown(plain(f"{best} {scope}"))
    if baselines := describe_baselines(view):
        st.markdown(plain(baselines))
    if budget := describe_budgets(view.lines):
        st.markdown(plain(budget))


def describe_winners(lines: Sequence[Line], winners: Mapping[str, str | None]) -> str:
    """Which method is significantly best at what, and where none is; `winners`: metric -> key of the best run."""
    by_key = {line.run.key: line for line in lines if line.run}
    has_unranked = any(line.entry.not_ranked for line in by_key.values())
    won: dict[str, list[str]] = {}
    for metric, key in winners.items():
        if key:
            superlative = "highest" if DEFINITIONS[metric].higher_is_better else "lowest"
            among = " of the latent codes" if has_unranked and metric in OF_CODES else ""
            value = number(by_key[key].run.metrics[metric].value)
            won.setdefault(key, []).append(f"the {superlative} {_to_phrase(metric)}{among} ({value})")
    parts = [f"{by_key[key].title} has {join_words(names)}" for key, names in won.items()]
    ranked = select_comparable(lines)
    open_metrics = [metric for metric, key in winners.items() if not key]
    tied = [_to_phrase(name) for name in open_metrics if sum(name in line.run.metrics for line in ranked) > 1]
    if tied:
        parts.append(f"in {join_words(tied)} the best two are not significantly different")
    scope = "On these test rows" if all(line.is_here for line in ranked) else "On the rows of the other copy"
    return f"{scope}, {'; '.join(parts)}." if parts else ""


def _to_phrase(metric: str) -> str:
    """A metric's label within a sentence."""
    label = DEFINITIONS[metric].label
    return label if label[:1] == "k" else label[:1].lower() + label[1:]


def describe_baselines(view: View) -> str:
    """What the shares of a table would be without a code."""
    if view.entry.kind != TABLES or (cells := rows.find_cells(view.trained)) is None:
        return ""
    found = _measure_baselines(cells.dataset.checksum, cells.dataset)
    parts = [f"{_BASELINES[metric]} {number(value)}" for metric, value in found.items()]
    return f"Baseline without a code: {' and '.join(parts)}." if parts else ""


@st.cache_data(max_entries=16, show_spinner=False)
def _measure_baselines(checksum: str, _dataset: Dataset) -> dict[str, float]:
    return table_cells.measure_baselines(_dataset)


def describe_budgets(lines: Sequence[Line]) -> str:
    """Whether the networks had equal budgets, and how their settings were chosen."""
    trained = [line for line in lines if line.run and selection.get_budget(line.run.spec)]
    if len(trained) < 2:
        return ""
    runs = [line.run for line in trained]
    if not selection.are_equal(runs):
        if selection.have_same_shape(runs):
            weights = join_words([f"{line.title} {compact(line.run.metrics['weights'].value)}" for line in trained])
            same = "have the same hidden layers, epochs and batch size"
            return (
                f"{join_words([line.title for line in trained])} {same}; their numbers of parameters differ: {weights}."
            )
        spent = [f"{line.title} {' and '.join(list_costs(line.run))}" for line in trained]
        return f"Budgets differ, so this is not a fair comparison of methods: {'; '.join(spent)}."
    first = trained[0].run
    sentence = (
        f"Equal budgets: {join_words([line.title for line in trained])} have the same encoder and decoder shapes, "
        f"{compact(first.metrics['weights'].value)} parameters (within {selection.WEIGHTS_WITHIN:.0%}), "
        f"{selection.epochs_reached(first):g} epochs and batch size {first.spec.param('batch_size')}."
    )
    trials = {line.run.environment.get("trials") for line in trained}
    if len(trials) == 1 and (n_trials := trials.pop()):
        sentence += f" Their settings are the best of {n_trials} trials each, on held-out training rows."
    return sentence


def list_costs(run: Run) -> list[str]:
    """Parameters and epochs of a run: ``["1.14 M parameters", "30 epochs"]``."""
    weights, reached = run.metrics["weights"].value, selection.epochs_reached(run)
    epochs = [f"{reached:,.4g} epochs"] if reached else []
    return [f"{compact(weights)} parameters", *epochs] if weights else []

"""Cross-lingual retrieval: is the English sentence nearest to a foreign one that which means the same?

Two sentences mean the same when they have the same frame: the intent, what it implies, and the kind of reply. The names
and numbers in them differ, since each is drawn for a home of its own: only the meaning can bring them together.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.bundle.format import Bundle
from edge.errors import BundleError
from edge.files import write_file
from edge.nlu.lexicon import read_lexicon
from edge.nlu.matching import HomeIndex
from edge.nlu.program import Program
from edge.nlu.tokens import MAX_TOKENS, encode
from quantize.evaluate.home import Case, sampled_cases

PIVOT = "en"
_DRAWN = 600
_PICTURED_LANGUAGES = ("en", "de", "pl", "fi", "ar", "ko", "zh-CN", "ml")
_PICTURED_INTENTS = 8
_FIGURES = {"precision_at_1": "P@1", "mrr": "MRR", "intent_at_1": "intent@1"}
_MARKERS = "osv^DP*X"


def aligned_cases(languages: Sequence[str], drawn: int = _DRAWN) -> list[Case]:
    """One sentence of each language for each frame that English has too, out of ``drawn`` sentences a language."""
    found: list[Case] = []
    known: set[str] | None = None
    for language in (PIVOT, *(name for name in languages if name != PIVOT)):
        by_frame = {case.sample.frame: case for case in sampled_cases(language, drawn)}
        known = set(by_frame) if known is None else known
        found += [case for frame, case in sorted(by_frame.items()) if frame in known]
    return found


def retrieval(cases: Sequence[Case], states: NDArray[np.floating[Any]]) -> dict[str, dict[str, float]]:
    """How the English sentences nearest by cosine fit those of each other language; ties count against.

    Args:
        cases: N sentences, from ``aligned_cases``.
        states: their representations [N, C].

    Returns:
        Per language: the shares of sentences whose nearest one has the same frame (``precision_at_1``) and the same
        intent (``intent_at_1``); the mean reciprocal rank of the one with the same frame (``mrr``).
    """
    unit = states.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    languages = np.array([case.sample.language for case in cases])
    frames = np.array([case.sample.frame for case in cases])
    intents = np.array([case.intent for case in cases])
    pivots = languages == PIVOT
    report = {}
    for language in dict.fromkeys(languages[~pivots].tolist()):
        own = languages == language
        scores = unit[own] @ unit[pivots].T
        right = scores[frames[own][:, None] == frames[pivots][None]]
        ranks = (scores >= right[:, None]).sum(1)
        report[language] = {
            "precision_at_1": float((ranks == 1).mean()),
            "mrr": float((1 / ranks).mean()),
            "intent_at_1": float((intents[pivots][scores.argmax(1)] == intents[own]).mean()),
            "n": int(own.sum()),
        }
    return report


def frame_scores(bundle: Bundle, cases: Sequence[Case]) -> NDArray[np.float32]:
    """Log-probabilities [N, frames] of the device program, which gives no hidden state.

    Raises:
        BundleError: the bundle has no student.
    """
    spec = bundle.manifest.student
    if spec is None:
        raise BundleError(f"bundle {bundle.manifest.name} has no student for text")
    program = Program(bundle.path(spec.program), id_limits=(spec.buckets, None))
    lexicons = {name: read_lexicon(bundle, name) for name in {case.sample.language for case in cases}}
    rows = []
    for case in cases:
        lexicon = lexicons[case.sample.language]
        index = HomeIndex(case.home, lexicon.number_words(), lexicon.value_words())
        tokens = index.tokens(case.sample.text)[:MAX_TOKENS]
        features = np.zeros((1 + len(tokens), spec.features), np.float32)
        features[1:] = index.features(tokens, index.matches(tokens))
        rows.append(program.run(encode(tokens, spec.buckets, case.sample.language)[None], features[None])[0][0])
    scores = np.stack(rows)
    scores -= scores.max(1, keepdims=True)
    log_p: NDArray[np.float32] = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return log_p


def table(reports: Mapping[str, dict[str, dict[str, float]]]) -> str:
    """A Markdown table, a row per language: the figures of each representation."""
    columns = [f"{name} {what}" for name in reports for what in _FIGURES.values()]
    lines = [f"| language | n | {' | '.join(columns)} |", "|---" * (2 + len(columns)) + "|"]
    languages = list(next(iter(reports.values())))
    for language in ["mean", *languages]:
        chosen = languages if language == "mean" else [language]
        values = [
            float(np.mean([report[name][key] for name in chosen])) for report in reports.values() for key in _FIGURES
        ]
        count = sum(int(next(iter(reports.values()))[name]["n"]) for name in chosen)
        lines.append(f"| {language} | {count} | {' | '.join(f'{value:.1%}' for value in values)} |")
    return "\n".join(lines)


def draw_clusters(path: Path, cases: Sequence[Case], panels: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    """Draw each representation [N, C] in two dimensions (t-SNE, van der Maaten & Hinton 2008), as PNG.

    Colours are the commonest intents, markers the languages: where colours gather and markers mix, the representation
    holds meaning and not language.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from sklearn.manifold import TSNE

    languages = [name for name in _PICTURED_LANGUAGES if any(case.sample.language == name for case in cases)]
    counts = Counter(case.intent for case in cases if case.sample.language in languages)
    intents = [name for name, _ in counts.most_common(_PICTURED_INTENTS)]
    shown = [i for i, case in enumerate(cases) if case.sample.language in languages and case.intent in intents]
    colours = dict(zip(intents, [f"C{i}" for i in range(len(intents))], strict=True))
    figure = Figure(figsize=(5.2 * len(panels), 6), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, states) in enumerate(panels.items(), 1):
        perplexity = min(30.0, (len(shown) - 1) / 3)
        flat = TSNE(2, perplexity=perplexity, metric="cosine", init="random", random_state=0).fit_transform(
            states[shown].astype(np.float32)
        )
        axes = figure.add_subplot(1, len(panels), place, title=title, xticks=[], yticks=[])
        for marker, language in zip(_MARKERS, languages, strict=False):
            own = [i for i, row in enumerate(shown) if cases[row].sample.language == language]
            hues = [colours[cases[shown[i]].intent] for i in own]
            axes.scatter(flat[own, 0], flat[own, 1], c=hues, marker=marker, s=22, linewidths=0, alpha=0.8)
    handles = [axes.scatter([], [], c=colours[name], marker="o", label=name) for name in intents]
    handles += [
        axes.scatter([], [], c="black", marker=marker, label=name)
        for marker, name in zip(_MARKERS, languages, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=1 + 3 * len(panels), fontsize=8, frameon=False)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_file(path, image.getvalue())

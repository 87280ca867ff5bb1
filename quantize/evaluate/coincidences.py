"""Finds drawn training sentences that are also sentences of a data set that is measured on."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from edge.errors import ConfigError
from quantize.data.datasets import same_sentence

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Coincidences:
    """Sentences of one file, by the key under which two count as the same, and those of them that were drawn."""

    sentences: dict[str, str]
    drawn: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How many of the file's sentences were drawn."""
        return len(self.drawn) / max(1, len(self.sentences))


def read_measured(folder: Path) -> dict[str, Coincidences]:
    """The sentences of every file under ``folder``, by the file's path in it.

    Reads ``utt`` and ``say`` of JSON lines, the sentences of Home Assistant's tests, and each line of text files.

    Raises:
        ConfigError: the folder holds no sentences, or a file is damaged.
    """
    found: dict[str, Coincidences] = {}
    for path in sorted(folder.rglob("*")):
        try:
            sentences = {same_sentence(text): text for text in _sentences(path)}
        except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
        sentences.pop("", None)
        if sentences:
            found[path.relative_to(folder).as_posix()] = Coincidences(sentences)
    if not found:
        raise ConfigError(f"{folder}: no sentences in it; expected .jsonl, .yaml or .txt files")
    return found


def note_coincidences(measured: dict[str, Coincidences], drawn: Iterable[str]) -> None:
    """Note in ``measured`` which of its sentences are among ``drawn``; case and punctuation do not count."""
    for text in drawn:
        key = same_sentence(text)
        for part in measured.values():
            if key in part.sentences:
                part.drawn[key] = text


def drawn_sentences(languages: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """``count`` sentences of each language as the ``home`` student meets them in training, before noise is added."""
    from quantize.student.examples import label_space
    from quantize.student.home import home_sources
    from quantize.templates.package import package_templates

    templates = [package_templates(language) for language in languages]
    rng = random.Random(seed)
    for source in home_sources(templates, label_space(templates)):
        for sample, _ in source.samples(count, rng, noisy=False, unrelated_share=0.0):
            yield sample.text


def report(measured: dict[str, Coincidences]) -> list[dict[str, Any]]:
    """A row per file: how many sentences it has and which of them were drawn."""
    return [
        {
            "file": file,
            "sentences": len(part.sentences),
            "drawn": len(part.drawn),
            "share": round(part.share, 4),
            "which": sorted(part.drawn.values()),
        }
        for file, part in measured.items()
    ]


def table(rows: Sequence[dict[str, Any]], shown: int) -> str:
    """The rows of files with coincidences as text, with at most ``shown`` sentences of each."""
    lines = [f"{'file':50} {'sentences':>9} {'drawn':>6} {'share':>7}"]
    for row in (row for row in rows if row["drawn"]):
        lines.append(f"{row['file']:50} {row['sentences']:>9} {row['drawn']:>6} {row['share']:>7.2%}")
        lines += [f"  {text}" for text in row["which"][:shown]]
    without = [row for row in rows if not row["drawn"]]
    lines.append(f"{len(without)} files without: {sum(row['sentences'] for row in without)} sentences")
    return "\n".join(lines)


def _sentences(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        for line in path.read_bytes().splitlines():
            row = msgspec.json.decode(line, type=dict[str, Any]) if line.strip() else {}
            yield from row.get("say", ())
            yield from (row["utt"],) if "utt" in row else ()
    elif path.suffix in (".yaml", ".yml"):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        for test in (content.get("tests") if isinstance(content, dict) else None) or ():
            yield from test.get("sentences", ())
    elif path.suffix == ".txt":
        yield from path.read_text(encoding="utf-8").splitlines()

"""Documents and docstrings can be read once: short sentences, without turns of phrase that hide the subject."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
LONGEST = 28
"""Words of a sentence."""
TURNS = re.compile(
    r"\b(of (?:which|whom|whose)|(?:is|are|was) no (?!longer|more|need|way|one)\w+|what (?:is|was) (?:no|not) |"
    r"that one |so many |is told from|(?:in|by|with|from) which|where nothing|be it|be they|"
    r"as it is\b.*\bas|which is what)\b",
    re.IGNORECASE,
)
TO_REWRITE = {
    "benchmarks/harness/child.py",
    "benchmarks/hearing/endpoint.py",
    "benchmarks/hearing/speak.py",
    "benchmarks/hearing/speech.py",
    "benchmarks/hearing/wake.py",
    "benchmarks/people/conversation.py",
    "benchmarks/people/peers.py",
    "benchmarks/people/verdicts.py",
    "benchmarks/report/compare.py",
    "benchmarks/report/report.py",
    "edge/asr/moonshine.py",
    "edge/asr/search.py",
    "edge/audio/portaudio.py",
    "edge/audio/queues.py",
    "edge/audio/soundcard.py",
    "edge/audio/wav.py",
    "edge/board/memory.py",
    "edge/board/trace.py",
    "edge/bundle/format.py",
    "edge/bundle/install.py",
    "edge/bundle/probe.py",
    "edge/commands/firmware.py",
    "edge/commands/listen.py",
    "edge/commands/output.py",
    "edge/compose.py",
    "edge/dialogue/choice.py",
    "edge/dialogue/dialogue.py",
    "edge/dialogue/language.py",
    "edge/dialogue/skills/levels.py",
    "edge/dialogue/skills/lights.py",
    "edge/dialogue/skills/machines.py",
    "edge/dialogue/skills/states.py",
    "edge/dialogue/skills/stop.py",
    "edge/dialogue/skills/timing.py",
    "edge/dialogue/targets.py",
    "edge/dialogue/toolbox.py",
    "edge/grammar/automaton.py",
    "edge/home/colors.py",
    "edge/home/mqtt/board.py",
    "edge/home/mqtt/catalog.py",
    "edge/home/timers.py",
    "edge/links/thread.py",
    "edge/models/catalog.py",
    "edge/models/download.py",
    "edge/models/http.py",
    "edge/nlu/alike.py",
    "edge/nlu/caution.py",
    "edge/nlu/decode.py",
    "edge/nlu/lexicon.py",
    "edge/nlu/matching.py",
    "edge/nlu/quantities.py",
    "edge/nlu/several.py",
    "edge/nlu/student.py",
    "edge/nlu/tokens.py",
    "edge/nlu/words.py",
    "edge/protocols.py",
    "edge/tts/espeak.py",
    "edge/wake/microwakeword.py",
    "edge/wake/refractory.py",
    "quantize/data/home_labels.py",
    "quantize/evaluate/bundle.py",
    "quantize/evaluate/home.py",
    "quantize/evaluate/retrieval.py",
    "quantize/experiments/ablate.py",
    "quantize/grammar/home_sentences.py",
    "quantize/loop.py",
    "quantize/own_commands/bundle.py",
    "quantize/own_commands/student.py",
    "quantize/program/calibrate.py",
    "quantize/program/readback.py",
    "quantize/recipe.py",
    "quantize/student/corpus.py",
    "quantize/student/distill.py",
    "quantize/student/home.py",
    "quantize/student/network.py",
    "quantize/student/prior.py",
    "quantize/student/source.py",
    "quantize/student/transitions.py",
    "quantize/student/widen.py",
    "quantize/templates/package.py",
    "quantize/templates/sampler.py",
    "quantize/variation/not_commands.py",
}
"""Files that are not checked yet. Take files out; never add one."""


def passages(path: Path) -> Iterator[str]:
    """Docstrings of Python, paragraphs and list items of Markdown; tables, headings and code are left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        yield from (ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))
        return
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    parts = re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) |\n\|.*", text)
    yield from (part for part in parts if not part.lstrip().startswith(("|", "#")))


def hard_sentences(passage: str) -> list[str]:
    plain = re.sub(r"\s+", " ", re.sub(r"`[^`]*`|\([^)]*\)|\[([^]]*)\]", r"\1", passage))
    sentences = re.split(r"(?<=[.!?:;])\s+", plain)
    return [sentence for sentence in sentences if len(sentence.split()) > LONGEST or TURNS.search(sentence)]


def documents() -> list[str]:
    found = [path for folder in ("edge", "quantize", "benchmarks") for path in (CHECKOUT / folder).rglob("*.py")]
    found += [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md"), *(CHECKOUT / "docs" / "howto").glob("*.md")]
    return sorted(str(path.relative_to(CHECKOUT)) for path in found)


@pytest.mark.parametrize("name", sorted(set(documents()) - TO_REWRITE))
def test_each_sentence_can_be_read_once(name: str) -> None:
    assert [hard for passage in passages(CHECKOUT / name) for hard in hard_sentences(passage)] == []


def test_finds_long_sentences_and_turns() -> None:
    assert hard_sentences("A file of which it is no part. " + "word " * LONGEST + "end. Short and plain.") == [
        "A file of which it is no part.",
        "word " * LONGEST + "end.",
    ]

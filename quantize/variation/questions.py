"""What tells a question about a state from the command in the same words: *are all lights off*, *all lights off*."""

from __future__ import annotations

import random
from dataclasses import replace

from edge.nlu.matching import plain
from edge.nlu.tokens import Token, tokenize
from quantize.templates.sampler import STAND_IN, Sample, SampledSlot, Templates, stand_in
from quantize.variation.augment import edit

_QUESTIONS, _COMMANDS = frozenset({"HassGetState"}), frozenset({"HassTurnOn", "HassTurnOff"})
_DRAWS = 8
_RARE = 0.1
_NAMES = frozenset({"name", "area", "floor"})
_COMMAND_FOR = {
    "on": ("HassTurnOn", ""), "open": ("HassTurnOn", "#cover"), "locked": ("HassTurnOn", "#lock"),
    "off": ("HassTurnOff", ""), "closed": ("HassTurnOff", "#cover"), "unlocked": ("HassTurnOff", "#lock"),
}  # fmt: skip


class Questions:
    """The words of a language's questions and commands, heard in a few sentences of each template."""

    def __init__(self, templates: Templates) -> None:
        asked = _shares(templates, _QUESTIONS)
        self._commands = _shares(templates, _COMMANDS)
        self._marks = frozenset(
            word for word, share in asked.items() if word != STAND_IN and self._commands.get(word, 0.0) < _RARE * share
        )

    def without_mark(self, sample: Sample) -> Sample:
        """The sample without the first of the words that only questions have, slots aside."""
        for token in tokenize(sample.text):
            inside = any(slot.start < token.end and token.start < slot.end for slot in sample.slots)
            if not inside and plain(token.text) in self._marks:
                space = sample.text[token.end : token.end + 1] == " "
                return edit(sample, token.start, token.end + space, "")
        return sample

    def is_elliptic(self, sample: Sample) -> bool:
        """Whether a question is in the words of commands alone, so that people would say it to have it done."""
        if sample.frame.split("#")[0].split("|")[0] not in _QUESTIONS or _state(sample) is None:
            return False
        words = [plain(token.text) for token in _outside_names(sample)]
        return all(word in self._commands and word not in self._marks for word in words)


def as_command(sample: Sample) -> Sample | None:
    """The elliptic question as what brings its state about; None for states that nothing brings about."""
    state = _state(sample)
    command = _COMMAND_FOR.get(str(state.value)) if state else None
    if command is None:
        return None
    intent, kind = command
    slots = [slot for slot in sample.slots if slot is not state]
    if any(slot.tag == "name" for slot in slots):
        return replace(sample, frame=intent + kind, slots=slots)
    implied = sample.frame.split("#")[0].split("|")[1:]
    return replace(sample, frame="|".join([intent, *implied]), slots=slots)


def _state(sample: Sample) -> SampledSlot | None:
    return next((slot for slot in sample.slots if slot.tag == "state"), None)


def _outside_names(sample: Sample) -> list[Token]:
    names = [slot for slot in sample.slots if slot.tag in _NAMES]
    return [t for t in tokenize(sample.text) if not any(slot.start < t.end and t.start < slot.end for slot in names)]


def _shares(templates: Templates, intents: frozenset[str]) -> dict[str, float]:
    """Share of the sentences of ``intents`` that have a word, names aside."""
    rng = random.Random(templates.language)
    counts: dict[str, int] = {}
    sentences = 0
    for block in templates.listed:
        if block.intent not in intents:
            continue
        for template in block.sentences:
            for _ in range(_DRAWS):
                sample = templates.sample(block, template, rng, stand_in)
                if sample:
                    sentences += 1
                    for word in {plain(token.text) for token in _outside_names(sample)}:
                        counts[word] = counts.get(word, 0) + 1
    return {word: count / sentences for word, count in counts.items()}

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.asr.constrained import ConstrainedRecognizer, says_something_else, sounds_alike
from edge.asr.moonshine_model import MoonshineModel
from edge.asr.search import ConstrainedSearch, SearchSettings
from edge.asr.token_table import TokenTable
from edge.audio.wav import WavMicrophone
from edge.grammar.automaton import Automaton
from edge.grammar.grammar import Grammar
from edge.types import AudioFrame, Transcript
from quantize.grammar.compiler import compile_grammar
from quantize.templates.command_file import parse_domain, read_domain
from tests.speech import spoken

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("moonshine_voice") is None or importlib.util.find_spec("onnxruntime") is None,
    reason="needs pip install 'edge-assistant[speech]'",
)
COFFEE = Path(__file__).parents[3] / "quantize" / "recipes" / "coffee.yaml"


@pytest.fixture(scope="module")
def model() -> MoonshineModel:
    return MoonshineModel()


@pytest.fixture(scope="module")
def coffee() -> Grammar:
    return compile_grammar(read_domain(COFFEE))


def hear(recognizer: ConstrainedRecognizer, pcm: NDArray[np.int16]) -> Transcript:
    recognizer.accept(AudioFrame(pcm, 16000))
    return recognizer.finish()


def recordings(data_dir: Path, count: int) -> list[tuple[NDArray[np.int16], dict[str, str]]]:
    folder = data_dir / "speech_commands"
    labels = json.loads((folder / "labels.json").read_text())
    frames = [(list(WavMicrophone(folder / "clips" / name).frames()), name) for name in sorted(labels)[:count]]
    return [
        (np.concatenate([frame.pcm for frame in clip]), {k: v.strip() for k, v in labels[name]["slots"].items()})
        for clip, name in frames
    ]


def test_understands_recorded_orders(model: MoonshineModel, coffee: Grammar, data_dir: Path) -> None:
    recognizer, commands = ConstrainedRecognizer(model, coffee), Automaton(coffee)
    for pcm, slots in recordings(data_dir, 4):
        transcript = hear(recognizer, pcm)
        understood = commands.understand(transcript.text)
        assert understood is not None, transcript.text
        assert {slot.name: slot.value for slot in understood.slots} == slots
        assert 0.3 < transcript.confidence <= 1.0
        assert all(commands.accepts(text) for text in transcript.alternatives)


def test_free_speech_is_not_forced_onto_a_command(model: MoonshineModel, data_dir: Path) -> None:
    lamps = compile_grammar(
        parse_domain("language: en\nintents: {On: {data: [{sentences: ['turn on the lamp', 'open the garage door']}]}}")
    )
    recognizer = ConstrainedRecognizer(model, lamps)
    for pcm, _ in recordings(data_dir, 2):
        transcript = hear(recognizer, pcm)
        assert transcript.text
        assert not Automaton(lamps).accepts(transcript.text)


def test_wildcards_are_decoded_freely(model: MoonshineModel, data_dir: Path) -> None:
    anything = compile_grammar(
        parse_domain(
            "language: en\n"
            "intents: {Order: {data: [{sentences: ['(make|get|give) me {what}', 'can I have {what}']}]}}\n"
            "lists: {what: {wildcard: true}}"
        )
    )
    recognizer = ConstrainedRecognizer(model, anything)
    pcm, _ = recordings(data_dir, 1)[0]
    understood = Automaton(anything).understand(hear(recognizer, pcm).text)
    assert understood is not None and "coffee" in str(understood.slots[0].value)


def test_a_word_heard_as_another_is_doubted_or_rejected(model: MoonshineModel) -> None:
    mute = compile_grammar(parse_domain("language: en\nintents: {Mute: {data: [{sentences: ['can you mute']}]}}"))
    assert hear(ConstrainedRecognizer(model, mute), spoken("Can you mute?")).confidence > 0.5
    other = hear(ConstrainedRecognizer(model, mute), spoken("Can you move?"))
    assert other.confidence < 0.5 or not Automaton(mute).accepts(other.text)
    play = compile_grammar(
        parse_domain(
            "language: en\nintents: {Play: {data: [{sentences: ['can you play {what}']}]}}\n"
            "lists: {what: {wildcard: true}}"
        )
    )
    assert Automaton(play).accepts(hear(ConstrainedRecognizer(model, play), spoken("Can you play basketball?")).text)
    assert not Automaton(play).accepts(hear(ConstrainedRecognizer(model, play), spoken("Do you play basketball?")).text)


def test_a_sentence_beyond_the_limit_is_taken_where_it_sounds_like_what_is_heard_freely(model: MoonshineModel) -> None:
    timers = compile_grammar(
        parse_domain("language: en\nintents: {Timer: {data: [{sentences: ['(stop|pause) [my|the] timer']}]}}")
    )
    said = spoken("stop my tyler")
    heard = hear(ConstrainedRecognizer(model, timers), said)
    assert Automaton(timers).accepts(heard.text) and heard.confidence < 0.5
    strict = ConstrainedRecognizer(model, timers, settings=SearchSettings(alike=1.0))
    assert not Automaton(timers).accepts(hear(strict, said).text)
    for other in ("Stop the tyre.", "Close my time."):
        assert not Automaton(timers).accepts(hear(ConstrainedRecognizer(model, timers), spoken(other)).text)


def test_texts_sound_alike_by_their_consonants() -> None:
    assert sounds_alike("Stop my time, Eli.", "stop my timer") > 0.7
    assert sounds_alike("Stop my timer.", "stop my timer") == 1.0
    assert sounds_alike("What a lovely day.", "stop my timer") < 0.4
    assert sounds_alike("", "stop my timer") == 0.0


def test_a_name_that_no_list_has_is_not_pressed_into_known_words(model: MoonshineModel) -> None:
    timers = compile_grammar(
        parse_domain(
            "language: en\n"
            "intents: {Stop: {data: [{sentences: ['stop [my|the] timer for ({what}|<length>)']}]}}\n"
            "expansion_rules: {length: '{minutes} (minute|minutes)'}\n"
            "lists: {what: {wildcard: true}, minutes: {range: {from: 1, to: 99}}}"
        )
    )
    recognizer, commands = ConstrainedRecognizer(model, timers), Automaton(timers)
    for said, value in (("Stop my timer for homework.", "homework"), ("Stop the timer for eight minutes.", 8)):
        understood = commands.understand(hear(recognizer, spoken(said)).text)
        assert understood is not None
        assert [slot.value for slot in understood.slots] == [value]


def test_allowed_tokens_are_those_that_the_automaton_reads(model: MoonshineModel, coffee: Grammar) -> None:
    table, automaton = TokenTable(model.vocabulary), Automaton(coffee)
    state = automaton.walk(0, "can i have a ")
    assert state is not None
    allowed = table.allowed(automaton, state, True)
    expected = {
        token
        for token in range(len(model.vocabulary))
        if (text := table.text(token, True)) and automaton.walk(state, text) is not None
    }
    assert set(allowed.tokens.tolist()) == expected
    assert {model.vocabulary[token].decode() for token in expected} >= {"\u2581small", "\u2581large"}
    for token, after in zip(allowed.tokens.tolist()[:20], allowed.states.tolist()[:20], strict=True):
        assert automaton.walk(state, table.text(token, True)) == after


def test_stops_when_its_time_is_used_up(model: MoonshineModel, coffee: Grammar) -> None:
    search = ConstrainedSearch(model, TokenTable(model.vocabulary), coffee)
    assert search.decode(model.encode(np.zeros(16000, np.float32)), 0.0) == []
    hurried = ConstrainedRecognizer(model, coffee, time_limit_ms=1.0)
    assert isinstance(hear(hurried, np.full(16000, 900, np.int16)), Transcript)


def random_audio(rng: np.random.Generator) -> NDArray[np.int16]:
    length = int(rng.choice([0, 1, 3, 160, 1599, 4000, 16000]))
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(-32768, 32768, length).astype(np.int16)
    if kind == 1:
        return np.full(length, rng.choice([-32768, 0, 32767]), np.int16)
    if kind == 2:
        return (np.sin(np.arange(length) * rng.uniform(0.01, 2)) * 30000).astype(np.int16)
    return (rng.standard_normal(length) * rng.uniform(1, 3000)).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("count", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_audio_crashes_nothing(model: MoonshineModel, coffee: Grammar, count: int) -> None:
    rng = np.random.default_rng(count)
    recognizer = ConstrainedRecognizer(model, coffee)
    for _ in range(count):
        transcript = hear(recognizer, random_audio(rng))
        assert len(transcript.text) < 600
        assert 0.0 <= transcript.confidence <= 1.0
    assert hear(recognizer, np.zeros(16000, np.int16)).text == ""


@pytest.mark.parametrize(
    ("said", "listed", "other"),
    [
        ("turn on toms lantern", "turn on the lamps", True),
        ("start the vacuum in the cellar", "start the vacuum", True),
        ("turn of the kichen light", "turn off the kitchen light", False),
        ("start the livingroom lamp", "start the living room lamp", False),
        ("set a timer for twenty minutes", "set a timer for 20 minutes", False),
    ],
)
def test_a_word_that_sounds_like_none_of_the_sentence(said: str, listed: str, other: bool) -> None:
    assert says_something_else(said.split(), listed.split()) is other


@pytest.mark.slow
def test_a_spoken_refusal_is_not_forced_onto_the_command(model: MoonshineModel) -> None:
    sentences = ["start the vacuum", "[can you|i'd like to] turn on the kitchen light", "i want the ceiling fan on"]
    text = f"language: en\nintents: {{On: {{data: [{{sentences: {json.dumps(sentences)}}}]}}}}"
    grammar = compile_grammar(parse_domain(text))
    recognizer = ConstrainedRecognizer(model, grammar, vetoes=("don't", "do not"))
    commands = Automaton(grammar)
    refusals = ("Don't start the vacuum.", "Don't turn on the kitchen light.", "I don't want the ceiling fan on.")
    for refusal in refusals * 2:
        assert not commands.accepts(hear(recognizer, spoken(refusal)).text), refusal
    assert commands.accepts(hear(recognizer, spoken("Start the vacuum.")).text)

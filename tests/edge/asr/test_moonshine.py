from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.asr.moonshine import MoonshineRecognizer, decode_greedily, framed, joined_letters
from edge.asr.moonshine_model import END, MoonshineModel, packaged_folder, read_vocabulary
from edge.errors import EngineError
from edge.types import AudioFrame
from tests.speech import spoken

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def model() -> MoonshineModel:
    try:
        return MoonshineModel()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("Play it on the T. V. in the kitchen.", "Play it on the TV in the kitchen."),
        ("Turn off the A.C.", "Turn off the AC"),
        ("I am. A man. Go.", "I am. A man. Go."),
    ],
)
def test_letters_said_one_by_one_are_a_word(heard: str, text: str) -> None:
    assert joined_letters(heard) == text


class Counted:
    """The model, counting how often audio was encoded, and optionally never ending or repeating itself."""

    def __init__(self, model: MoonshineModel, forced: tuple[int, ...] = ()) -> None:
        self._model = model
        self._forced = forced
        self._given = 0
        self.encoded = 0
        self.vocabulary, self.text = model.vocabulary, model.text

    def encode(self, samples: NDArray[np.float32]) -> object:
        self.encoded += 1
        return self._model.encode(samples)

    def begin(self, encoded: object) -> object:
        return self._force(self._model.begin(encoded))  # type: ignore[arg-type]

    def step(self, tokens: list[int], state: object) -> object:
        return self._force(self._model.step(tokens, state))  # type: ignore[arg-type]

    def _force(self, result: tuple[NDArray[np.float32], object]) -> tuple[NDArray[np.float32], object]:
        if not self._forced:
            return result
        logits = np.zeros_like(result[0])
        logits[0, self._forced[self._given % len(self._forced)]] = 9.0
        self._given += 1
        return logits, result[1]


def feed(recognizer: MoonshineRecognizer, pcm: NDArray[np.int16], start_ms: float = 0.0) -> None:
    for at in range(0, len(pcm), 512):
        assert recognizer.accept(AudioFrame(pcm[at : at + 512], 16000, start_ms + at / 16)) is None


def command(text: str = "turn on the lights") -> NDArray[np.int16]:
    pause = np.zeros(3200, np.int16)
    return np.concatenate([pause, spoken(text), pause])


def test_it_hears_commands(model: MoonshineModel) -> None:
    recognizer = MoonshineRecognizer(model)
    for text in ("open the garage door", "what time is it"):
        feed(recognizer, command(text))
        heard = recognizer.finish()
        assert heard.text.lower().strip(".?!") == text
        assert " ".join(word.text for word in heard.words) == heard.text
        assert 0.5 < heard.confidence <= 1.0 and all(0.0 < word.confidence <= 1.0 for word in heard.words)


def test_it_hears_recorded_commands(model: MoonshineModel, data_dir: Path) -> None:
    import wave

    recognizer = MoonshineRecognizer(model)
    clips = sorted((data_dir / "speech_commands" / "clips").glob("*.wav"))[:5]
    heard = 0
    for clip in clips:
        with wave.open(str(clip)) as recording:
            feed(recognizer, np.frombuffer(recording.readframes(10**9), "<i2").astype(np.int16))
        heard += "cup" in (text := recognizer.finish().text.lower()) or "coffee" in text or "cappuccino" in text
    assert heard >= 3


def test_ending_after_a_pause_does_not_decode_again(model: MoonshineModel) -> None:
    counted = Counted(model)
    recognizer = MoonshineRecognizer(counted)  # type: ignore[arg-type]
    feed(recognizer, command())
    early = recognizer.partial()
    feed(recognizer, np.zeros(4800, np.int16))
    assert recognizer.partial() == early
    assert recognizer.finish() == early
    assert counted.encoded == 1


def test_words_after_the_pause_are_heard(model: MoonshineModel) -> None:
    counted = Counted(model)
    recognizer = MoonshineRecognizer(counted)  # type: ignore[arg-type]
    rng = np.random.default_rng(1)

    def room(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        return (pcm + rng.normal(0, 60, len(pcm))).astype(np.int16)

    feed(recognizer, room(command("turn on the light")))
    assert "bathroom" not in recognizer.partial().text.lower()
    feed(recognizer, room(np.zeros(1600, np.int16)))
    feed(recognizer, room(command("in the bathroom")))
    assert "bathroom" in recognizer.finish().text.lower()
    assert counted.encoded == 2


def test_silence_and_nothing_give_no_text(model: MoonshineModel) -> None:
    recognizer = MoonshineRecognizer(model)
    assert recognizer.finish().text == ""
    feed(recognizer, np.zeros(32000, np.int16))
    heard = recognizer.finish()
    assert (heard.text, heard.confidence, heard.end_ms) == ("", 0.0, 2000.0)


def test_silence_around_a_command_becomes_half_a_second() -> None:
    speech = command().astype(np.float32) / 32768
    noise = np.random.default_rng(0).normal(0, 1e-4, 3 * 16000).astype(np.float32)
    alone, among = framed(speech), framed(np.concatenate([noise, speech, noise, noise]))
    assert alone is not None and among is not None
    assert abs(len(among) - len(alone)) <= 2 * 320 and len(alone) < len(speech) + 16000
    for heard in (alone, among):
        assert not heard[:8000].any() and not heard[-8000:].any() and heard[8000:-8000].any()


def test_noise_as_loud_as_a_command_is_kept_and_a_click_is_not() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    heard = framed(noise)
    assert heard is not None and np.array_equal(heard[8000:-8000], noise)
    assert framed(noise[:1000]) is None
    popped = np.concatenate([np.ones(400, np.float32), noise * 0.02])
    heard = framed(popped)
    assert heard is not None and np.array_equal(heard[8000:-8000], popped)
    assert framed(np.zeros(16000, np.float32)) is None
    assert framed(np.zeros(0, np.float32)) is None


def test_a_click_is_no_crash(model: MoonshineModel) -> None:
    recognizer = MoonshineRecognizer(model)
    feed(recognizer, np.full(3, 32767, np.int16))
    assert recognizer.finish().confidence < 0.5


def test_a_decoder_that_repeats_itself_is_stopped(model: MoonshineModel) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 16000 * 8).astype(np.float32)
    counted = Counted(model, forced=(700, 701, 702))
    decoded = decode_greedily(counted, model.encode(audio), 10_000.0)  # type: ignore[arg-type]
    assert decoded.tokens == (700, 701, 702)


def test_a_decoder_that_never_ends_is_stopped(model: MoonshineModel) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 16000 * 2).astype(np.float32)
    endless = Counted(model, forced=tuple(range(1000, 1100)))
    encoded = model.encode(audio)
    assert len(decode_greedily(endless, encoded, 10_000.0).tokens) == 14  # type: ignore[arg-type]
    assert len(decode_greedily(endless, encoded, 0.0).tokens) == 1  # type: ignore[arg-type]


def test_audio_beyond_the_longest_utterance_is_dropped(model: MoonshineModel) -> None:
    recognizer = MoonshineRecognizer(model, longest_ms=1600.0)
    feed(recognizer, command())
    first = recognizer.partial().text
    feed(recognizer, command("what time is it"))
    assert recognizer.finish().text == first


def test_another_rate_is_refused(model: MoonshineModel) -> None:
    with pytest.raises(EngineError, match="16000 Hz, not 8000"):
        MoonshineRecognizer(model).accept(AudioFrame(np.zeros(80, np.int16), 8000))


def test_hypotheses_of_a_batch_do_not_mix(model: MoonshineModel) -> None:
    encoded = model.encode(np.divide(command(), 32768, dtype=np.float32))
    logits, state = model.begin(encoded)
    best, other = (int(token) for token in np.argsort(logits[0])[::-1][:2])
    _, both = model.step([best, other], state.select([0, 0]))
    swapped, _ = model.step([400, 500], both.select([1, 0]))
    straight, _ = model.step([500, 400], both)
    assert swapped.shape == (2, 32768)
    np.testing.assert_allclose(swapped[::-1], straight, atol=1e-3)
    for tokens in ([best], [best, -1], [best, 32768]):
        with pytest.raises(ValueError, match="token ids"):
            model.step(tokens, both)


def test_the_vocabulary_spells_text(model: MoonshineModel) -> None:
    assert len(model.vocabulary) == 32768
    assert model.vocabulary[3:259] == tuple(bytes([value]) for value in range(256))
    assert model.text([1, model.vocabulary.index("\u2581the".encode()), 3 + ord("m"), END]) == "them"


@pytest.mark.parametrize("name", ["encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage"])
def test_a_damaged_model_gives_one_line(tmp_path: Path, name: str, damage: str) -> None:
    try:
        folder = packaged_folder()
    except EngineError as error:
        pytest.skip(str(error))
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    data = (folder / name).read_bytes()
    (tmp_path / name).unlink()
    if damage != "missing":
        (tmp_path / name).write_bytes(
            {"empty": b"", "cut": data[: len(data) // 2 + 1], "garbage": b"\xff" * 999}[damage]
        )
    with pytest.raises(EngineError) as caught:
        MoonshineModel(tmp_path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"edge-assistant\[speech\]"):
        MoonshineModel()


def test_a_truncated_vocabulary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.bin").write_bytes(b"\x05ab")
    with pytest.raises(EngineError, match="damaged"):
        read_vocabulary(tmp_path / "tokenizer.bin")
    shutil.rmtree(tmp_path)

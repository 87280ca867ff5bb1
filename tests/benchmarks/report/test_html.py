"""The page stands alone, fits a phone, and shows only numbers that are in the JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.report.html import page
from benchmarks.report.markdown import document
from benchmarks.report.report import Report

Run = Callable[..., Report]


@pytest.fixture(scope="module")
def report(run_here: Run) -> Report:
    budgets = {"turn.cpu_ms": 1e6, "turn.peak_rss_mib": 1, "turn.first_audio_ms": 5}
    parameters = {"repetitions": 12, "amounts": {"recognize": 300, "parse": 60, "voice": 120}}
    made = run_here("turn", "samples:spin", parameters, budgets, cap=400)
    projection = {
        "label": "projected",
        "ratios": {"memcpy_mb_s": 4.5, "seven_zip_mips": 3.25},
        "low": 3.25,
        "high": 4.5,
    }
    peers = [{"peer": "student", "accuracy": 0.912, "p50 ms": 0.41}, {"peer": "hassil", "accuracy": 0.875}]
    return msgspec.structs.replace(made, projection=projection, peers=peers)


class Texts(HTMLParser):
    """Every text with the nearest ``data-json`` around it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, str | None]] = []
        self.found: list[tuple[str, str | None]] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href", "xlink:href")]
        if tag not in ("meta", "rect", "line", "polyline", "br"):
            self.stack.append((tag, given.get("data-json")))

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(tag in ("style", "title") for tag, _ in self.stack):
            self.found.append((data.strip(), next((path for _, path in reversed(self.stack) if path), None)))


def lookup(document: Any, path: str) -> Any:
    """Value at a dotted path; keys may have dots themselves."""
    if not path:
        return document
    if isinstance(document, list):
        head, _, rest = path.partition(".")
        return lookup(document[int(head)], rest)
    for key in sorted(document, key=len, reverse=True):
        if path == key or path.startswith(f"{key}."):
            return lookup(document[key], path[len(key) + 1 :])
    raise KeyError(path)


def test_every_number_is_in_the_json(report: Report) -> None:
    texts = Texts()
    texts.feed(page(report))
    data = json.loads(msgspec.json.encode(report))
    everything = json.dumps(data, ensure_ascii=False)
    checked = 0
    for text, path in texts.found:
        if not re.search(r"\d", text):
            continue
        assert path is not None, f"{text!r} does not say where it is from"
        if path == "text":
            assert text in everything or text in ("p95", "p99"), text
            continue
        shown = float(re.sub(r"[^0-9.e+-].*$", "", text))
        assert shown == pytest.approx(float(lookup(data, path)), rel=6e-3, abs=0.51 if shown >= 100 else 1e-9), path
        checked += 1
    assert checked > 40


def test_needs_nothing_from_elsewhere(report: Report) -> None:
    content = page(report)
    texts = Texts()
    texts.feed(content)
    assert texts.addresses == []
    assert not re.search(r"@import|url\(|<script", content)
    assert content.count("<svg") >= 4


def test_markdown_says_what_exceeds_and_what_was_not_measured(report: Report) -> None:
    text = document(report)
    assert "FAILS" in text
    assert re.search(r"turn\.peak_rss_mib max \| 1 MiB \| .* \| FAIL \|", text)
    assert "turn.first_audio_ms max | 5 MiB | not measured" in text
    assert "**projected**" in text


@pytest.mark.slow
def test_fits_a_phone_in_chromium(report: Report, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium: apt-get install chromium")
    # In a frame, since a window of Chromium cannot be as narrow as a phone.
    script = """<script>addEventListener('load', () => {
        const plots = [...document.querySelectorAll('svg')].map(plot => plot.getBoundingClientRect())
        const cut = [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth)
        const bad = plots.filter(box => box.width < 100 || box.right > innerWidth + 1).length
        const look = [document.documentElement.scrollWidth, innerWidth, bad, plots.length, cut.length]
        parent.document.body.setAttribute('data-look', look.join())
    })</script>"""
    content = escape(page(report).replace("</body>", f"{script}</body>"))
    file = tmp_path / "phone.html"
    file.write_text(f'<body><iframe width="375" height="800" srcdoc="{content}"></iframe></body>', encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=500,900"]
    done = subprocess.run(
        [browser, *options, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=240, check=True
    )
    looked = re.search(r'data-look="(\d+),(\d+),(\d+),(\d+),(\d+)"', done.stdout)
    assert looked is not None
    scroll, inner, bad, plots, cut = map(int, looked.groups())
    assert scroll <= inner == 375 and bad == 0 and plots >= 4 and cut == 0
    picture = tmp_path / "report.png"
    subprocess.run(
        [browser, *options, f"--screenshot={picture}", file.as_uri()], capture_output=True, timeout=240, check=True
    )
    assert picture.stat().st_size > 10_000

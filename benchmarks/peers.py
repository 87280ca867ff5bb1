"""``edge-bench peers``: other ways to understand the same sentences, each in a fresh process, in one table.

The sentences are Home Assistant's tests: a folder per language with ``_fixtures.yaml``, the home, and files of
``tests``. They are tried as they are, with one word dropped, and with one letter wrong. ``onnxruntime`` and ``torch``
run the bundle's own student, read back from its program, with the rest of the device's parser around it.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from benchmarks.harness.child import Probe
from benchmarks.harness.measure import measure
from benchmarks.harness.scenarios import Scenario
from edge.bundle.format import open_bundle
from edge.config import load_profile
from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.nlu.student import Features, Ids, Run

PEERS = ("student", "onnxruntime", "torch", "hassil", "linear")
_ONNX, _TORCH = "student.onnx", "student.pt"
_PER_LANGUAGE = 150
_FORMS = 12
_MIB = 2**20
Case = tuple[str, str, str]  # how it was changed, text, intent


def measure_peers(data: Path, bundle: str, only: tuple[str, ...], language: str = "en") -> list[dict[str, Any]]:
    """A row per peer: accuracy, latency, memory, start-up, size.

    Raises:
        ConfigError: no such peer, or the folder has no tests of the language.
    """
    for name in only:
        if name not in PEERS:
            raise ConfigError(f"no peer called {name!r}; there are: {', '.join(PEERS)}")
    if not _cases(data, language):
        raise ConfigError(f"no tests in {data / language}: name the folder that holds a folder per language")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder:
        profile = Path(folder) / "profile.json"
        profile.write_bytes(msgspec.json.encode(load_profile("desktop")))
        for name in only or PEERS:
            parameters = {"data": str(data), "language": language, "folder": folder}
            if name in ("onnxruntime", "torch"):
                reason = _read_back(bundle, Path(folder))
                if reason is not None:
                    rows.append({"peer": name, "result": f"not measured: {reason}"})
                    continue
            scenario = Scenario(name, f"benchmarks.peers:{name}", parameters=parameters)
            task = {"profile": str(profile), "bundle": bundle, "clips": {}, "sentences": {}}
            (result,), _ = measure((scenario,), task, None, 1)
            if result.status != "done":
                rows.append({"peer": name, "result": f"not measured: {result.reason}"})
                continue
            times = result.measures["cpu_ms"]
            rows.append(
                {"peer": name, "result": "measured", "sentences": result.facts["sentences"]}
                | {f"intent {kind}": round(value, 4) for kind, value in result.facts["accuracy"].items()}
                | {"p50 ms": times.median, "p95 ms": times.p95}
                | {"peak MiB": round(result.measures["peak_rss_mib"].median, 1)}
                | {"start ms": round(result.stages["load"].median, 1)}
                | {"size MiB": round(result.facts["bytes"] / _MIB, 2)}
            )
    return rows


def _read_back(bundle: str, folder: Path) -> str | None:
    """Write the bundle's student for other runtimes; the reason where that cannot be done here."""
    if (folder / _ONNX).exists():
        return None
    try:
        import torch

        from quantize.program.readback import read_student, write_onnx

        student = read_student(open_bundle(bundle))
        torch.save(student, folder / _TORCH)
        write_onnx(student, folder / _ONNX)
    except ImportError as error:
        return f"no {error.name}; pip install 'edge-assistant[build]'"
    return None


def student(probe: Probe) -> None:
    """The bundle's student, as the device runs it."""
    _parse_with(probe, None, None)


def onnxruntime(probe: Probe) -> None:
    """The same student in onnxruntime, int8."""
    path = Path(probe.parameters["folder"]) / _ONNX

    def load() -> Run:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda ids, features: session.run(None, {"ids": ids, "features": features})

    _parse_with(probe, load, path)


def torch(probe: Probe) -> None:
    """The same student in torch, eager, float."""
    path = Path(probe.parameters["folder"]) / _TORCH

    def load() -> Run:
        import torch

        torch.set_num_threads(1)
        model = torch.load(path, weights_only=False)  # our own file of a moment ago

        def run(ids: Ids, features: Features) -> list[Features]:
            with torch.inference_mode():
                return [output.numpy() for output in model(torch.from_numpy(ids), torch.from_numpy(features))[:3]]

        return run

    _parse_with(probe, load, path)


def _parse_with(probe: Probe, load: Callable[[], Run] | None, path: Path | None) -> None:
    """The device's parser, its student run by its own program or by what ``load`` gives."""
    from edge import compose
    from edge.nlu.student import StudentParser
    from edge.types import Transcript

    with probe.stage("load"):
        bundle = compose.bundle(probe.bundle, allow_unsigned=True)
        run = load() if load is not None else None
        parser = StudentParser(bundle, compose.home(_home(probe)), probe.parameters["language"], run=run)
    files, spec = bundle.manifest.files, bundle.manifest.student
    size = sum(entry.bytes for entry in files.values())
    if path is not None and spec is not None:
        size += path.stat().st_size - files[spec.program].bytes
    probe.fact("bytes", size)
    _try(probe, lambda text: parser.parse(Transcript(text)).intent)


def hassil(probe: Probe) -> None:
    """Home Assistant's own template matcher with the templates that the student learned from."""
    language = probe.parameters["language"]
    with probe.stage("load"):
        from hassil import Intents, recognize_best
        from hassil.intents import SlotList, TextSlotList
        from home_assistant_intents import get_intents

        data = get_intents(language) or {}
        intents = Intents.from_dict(data)
        home = yaml.safe_load(Path(_home(probe)).read_text(encoding="utf-8"))
        names = [(e["name"], e["name"], {"domain": e["id"].split(".")[0]}) for e in _named(home, "entities")]
        lists: dict[str, SlotList] = {
            kind: TextSlotList.from_tuples([(e["name"], e["id"]) for e in _named(home, f"{kind}s")])
            for kind in ("area", "floor")
        }
        lists["name"] = TextSlotList.from_tuples(names, allow_template=False)
    probe.fact("bytes", len(msgspec.json.encode(data)))

    def understand(text: str) -> str | None:
        found = recognize_best(text, intents, slot_lists=lists, best_slot_name="name")
        return found.intent.name if found is not None else None

    _try(probe, understand)


def linear(probe: Probe) -> None:
    """Character 2- to 5-grams, TF-IDF and a linear classifier, trained on forms of the same templates."""
    with probe.stage("load"):
        import pickle

        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import SGDClassifier
        from sklearn.pipeline import make_pipeline

        texts, intents = _training(probe.parameters["language"], _home(probe))
        model = make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True), SGDClassifier(random_state=0)
        ).fit(texts, intents)
    probe.fact("bytes", len(pickle.dumps(model)))
    _try(probe, lambda text: str(model.predict([text])[0]))


def _training(language: str, home: str) -> tuple[list[str], list[str]]:
    """Forms of every template of the package, with the home's names and numbers in their lists."""
    import re

    from home_assistant_intents import get_intents

    from edge.grammar.templates import spoken_forms

    rng = random.Random(0)
    names = [entry["name"] for entry in _named(yaml.safe_load(Path(home).read_text(encoding="utf-8")), "entities")]
    data = get_intents(language) or {}
    rules = data.get("expansion_rules", {})
    texts, intents = [], []
    for intent, content in data["intents"].items():
        for block in content["data"]:
            for template in block["sentences"]:
                filled = template
                for _ in range(6):
                    filled = re.sub(r"<([^<>]+)>", lambda m: f"({rules.get(m[1], '')})", filled)
                filled = re.sub(r"\{([^{}:]+)[^{}]*\}", lambda m: _value(data, m[1], names, rng), filled)
                for form in list(zip(range(_FORMS), spoken_forms(filled), strict=False)):
                    texts.append(form[1])
                    intents.append(intent)
    return texts, intents


def _value(data: dict[str, Any], name: str, names: list[str], rng: random.Random) -> str:
    values = data.get("lists", {}).get(name, {}).get("values")
    if not values:
        return rng.choice(names) if name in ("name", "area", "floor") else str(rng.randrange(1, 100))
    chosen = rng.choice(values)
    return str(chosen["in"] if isinstance(chosen, dict) else chosen)


def _named(home: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry for entry in home.get(kind) or [] if isinstance(entry["name"], str)]


def _home(probe: Probe) -> str:
    return str(Path(probe.parameters["data"]) / probe.parameters["language"] / "_fixtures.yaml")


def _cases(data: Path, language: str) -> list[tuple[str, str]]:
    """Sentences without context and their intents, the same in every process."""
    found = []
    for path in sorted((data / language).glob("**/*.yaml")):
        for test in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("tests") or []:
            if "intent" in test and not test["intent"].get("context"):
                found += [(sentence, test["intent"]["name"]) for sentence in test["sentences"]]
    return random.Random(7).sample(found, min(_PER_LANGUAGE, len(found)))


def _changed(cases: list[tuple[str, str]]) -> list[Case]:
    rng, result = random.Random(7), []
    for text, intent in cases:
        result.append(("clean", text, intent))
        words = text.split()
        if len(words) > 2:
            words.pop(rng.randrange(len(words)))
            result.append(("word dropped", " ".join(words), intent))
        letters = [index for index, character in enumerate(text) if character.isalpha()]
        at = rng.choice(letters)
        result.append(("letter wrong", text[:at] + text[rng.choice(letters)] + text[at + 1 :], intent))
    return result


def _try(probe: Probe, understand: Callable[[str], str | None]) -> None:
    """Accuracy and time with the same code and the same sentences."""
    cases = _cases(Path(probe.parameters["data"]), probe.parameters["language"])
    right: dict[str, list[bool]] = {}
    for text, _ in cases[:10]:
        understand(text)
    for kind, text, intent in _changed(cases):
        answers: list[str | None] = []
        probe.timed(lambda text=text, answers=answers: answers.append(understand(text)), text)  # type: ignore[misc]
        right.setdefault(kind, []).append(answers[0] == intent)
    probe.fact("sentences", len(cases))
    probe.fact("accuracy", {kind: sum(values) / len(values) for kind, values in right.items()})

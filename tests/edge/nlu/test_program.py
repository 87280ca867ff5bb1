from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import BundleError, EngineError
from edge.nlu.program import Program

LENGTHS = (2, 12, 64)
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("executorch") is None or find_spec("torch") is None:
        pytest.skip("exporting a program needs the build extra")
    folder = tmp_path_factory.mktemp("program")
    subprocess.run([sys.executable, str(Path(__file__).with_name("export_program.py")), str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def path(exported: Path) -> Path:
    return exported / "program.pte"


@pytest.fixture(scope="session")
def expected(exported: Path) -> Arrays:
    return dict(np.load(exported / "expected.npz"))


@pytest.fixture
def program(path: Path) -> Program:
    return Program(path, id_limits=(100, None))


def inputs(tokens: int = 3) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.arange(tokens, dtype=np.int64)[None] % 100, np.ones((1, tokens, 2), np.float32)


def run_python(code: str, *arguments: object) -> dict[str, Any]:
    """Run code in a fresh process; returns the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_describes_itself(program: Program) -> None:
    assert [(spec.dtype, spec.shape) for spec in program.inputs] == [(np.int64, (1, 64)), (np.float32, (1, 64, 2))]
    assert [(spec.dtype, spec.shape) for spec in program.outputs] == [(np.float32, (1, 64, 5)), (np.float32, (1, 5))]
    assert 64 * (32 + 2) * 4 <= program.arena_bytes <= 64_000


@pytest.mark.parametrize("tokens", LENGTHS)
def test_computes_what_torch_computes(program: Program, expected: Arrays, tokens: int) -> None:
    logits, mean = program.run(expected[f"ids{tokens}"], expected[f"features{tokens}"])
    np.testing.assert_allclose(logits, expected[f"logits{tokens}"], atol=0.05)
    np.testing.assert_allclose(mean, expected[f"mean{tokens}"], atol=0.02)


def test_outputs_belong_to_the_caller(program: Program, expected: Arrays) -> None:
    first = program.run(expected["ids12"], expected["features12"])
    kept = [array.copy() for array in first]
    program.run(expected["ids64"], expected["features64"])
    for array, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_takes_strided_arrays(program: Program, expected: Arrays) -> None:
    ids, features = expected["ids12"], expected["features12"]
    strided = program.run(np.repeat(ids, 2, axis=1)[:, ::2], np.asfortranarray(features))
    for array, same in zip(strided, program.run(ids, features), strict=True):
        np.testing.assert_array_equal(array, same)


def test_own_kernels_compute_what_torch_computes(exported: Path) -> None:
    program = Program(exported / "kernels.pte")
    arrays = np.load(exported / "kernels.npz")
    embedded, normed = program.run(arrays["ids"])
    np.testing.assert_array_equal(embedded, arrays["embedded"])
    np.testing.assert_allclose(normed, arrays["normed"], rtol=1e-5, atol=1e-5)


def test_own_kernels_refuse_an_id_outside_the_table(exported: Path) -> None:
    program = Program(exported / "kernels.pte")
    for outside in (-1, 100):
        with pytest.raises(EngineError, match="an id is outside the table"):
            program.run(np.full((1, 3, 7), outside))
    program.run(np.full((1, 3, 7), 99))


@pytest.mark.parametrize(
    ("ids", "features", "says"),
    [
        (np.zeros((1, 3), np.int32), np.zeros((1, 3, 2), np.float32), "must be int64, not int32"),
        (np.zeros((1, 3), np.int64), np.zeros((1, 3, 2), np.float64), "must be float32, not float64"),
        (np.zeros(3, np.int64), np.zeros((1, 3, 2), np.float32), "must have 2 axes, not 1"),
        (np.zeros((1, 65), np.int64), np.zeros((1, 65, 2), np.float32), r"shape \(1, 65\)"),
        (np.zeros((1, 0), np.int64), np.zeros((1, 0, 2), np.float32), r"shape \(1, 0\)"),
        (np.full((1, 3), 100), np.zeros((1, 3, 2), np.float32), r"outside 0\.\.99"),
        (np.full((1, 3), -1), np.zeros((1, 3, 2), np.float32), r"outside 0\.\.99"),
        (np.zeros((1, 3), np.int64), np.zeros((1, 4, 2), np.float32), r"failed on shapes .*\(1, 4, 2\)\]: .*0x"),
    ],
)
def test_refuses_inputs_that_do_not_fit(program: Program, ids: NDArray[Any], features: NDArray[Any], says: str) -> None:
    before = program.run(*inputs())
    with pytest.raises(EngineError, match=says):
        program.run(ids, features)
    for array, same in zip(program.run(*inputs()), before, strict=True):
        np.testing.assert_array_equal(array, same)


def test_refuses_another_number_of_inputs(program: Program) -> None:
    with pytest.raises(EngineError, match="takes 2 inputs, not 1"):
        program.run(inputs()[0])


def test_refuses_bad_options(path: Path) -> None:
    with pytest.raises(EngineError, match="at least one thread"):
        Program(path, threads=0)
    with pytest.raises(EngineError, match="2 inputs, but 1 id limits"):
        Program(path, id_limits=(100,))


def test_refuses_what_is_no_program(tmp_path: Path) -> None:
    random = np.random.default_rng(0).bytes(5000)
    for name, content, says in (
        ("empty.pte", b"", "not an ExecuTorch program"),
        ("random.pte", random, "not an ExecuTorch program"),
        ("old.pte", random[:4] + b"ET11" + random, "version ET12"),
        ("short.pte", random[:4] + b"ET12eh00", "header is cut off"),
        ("liar.pte", random[:4] + b"ET12eh00" + random, "cut off: it has 5012 bytes of"),
        ("hollow.pte", random[:4] + b"ET12eh00\x20\0\0\0" + bytes(24) + random, "cannot be loaded: .*0x"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(BundleError, match=says):
            Program(file)
    with pytest.raises(BundleError, match=r"missing\.pte cannot be read: No such file"):
        Program(tmp_path / "missing.pte")
    with pytest.raises(BundleError, match="Is a directory"):
        Program(tmp_path)


def test_refuses_every_truncation(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    cut = tmp_path / "cut.pte"
    for size in (*range(0, 64, 7), *range(64, len(content), 997)):
        cut.write_bytes(content[:size])
        with pytest.raises(BundleError):
            Program(cut)


def test_names_the_operator_that_is_missing(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    assert b"decomposed::embedding_byte" in content
    changed = tmp_path / "changed.pte"
    changed.write_bytes(content.replace(b"decomposed::embedding_byte", b"decomposed::embedding_best"))
    with pytest.raises(BundleError, match="operator that this runtime does not have"):
        Program(changed)


def test_threads_take_turns(path: Path, expected: Arrays) -> None:
    programs = [Program(path), Program(path)]

    def work(number: int) -> tuple[int, NDArray[Any]]:
        tokens = LENGTHS[number % len(LENGTHS)]
        return tokens, programs[number // 3 % 2].run(expected[f"ids{tokens}"], expected[f"features{tokens}"])[0]

    with ThreadPoolExecutor(2) as pool:
        for tokens, logits in pool.map(work, range(300)):
            np.testing.assert_allclose(logits, expected[f"logits{tokens}"], atol=0.05)


def test_close_releases(program: Program) -> None:
    program.close()
    with pytest.raises(EngineError, match="closed"):
        program.run(*inputs())
    assert program.operator_times() == {}


def test_thread_count_holds_for_the_process(path: Path) -> None:
    answer = run_python(
        """
import json, sys, threading
from pathlib import Path
import numpy as np
from edge.errors import EngineError
from edge.nlu.program import Program

path, answer = Path(sys.argv[1]), {}
inputs = np.zeros((1, 9), np.int64), np.ones((1, 9, 2), np.float32)
def native_threads():
    return len(list(Path("/proc/self/task").iterdir()))
program = Program(path, threads=1)
answer["one"] = native_threads()
first = program.run(*inputs)[0]
try:
    Program(path, threads=3)
except EngineError as error:
    answer["refused"] = str(error)
program.close()
program = Program(path, threads=3)
answer["three"] = native_threads()
answer["same"] = bool(np.allclose(first, program.run(*inputs)[0]))
print(json.dumps(answer))
""",
        path,
    )
    assert answer["three"] == answer["one"] + 2
    assert answer["same"]
    assert "threads=1" in answer["refused"]


def test_measures_operators_on_request(path: Path) -> None:
    traced = Program(path, trace_operators=True)
    for _ in range(3):
        traced.run(*inputs())
    times = traced.operator_times()
    assert times["Method::execute"].calls == 3
    assert times["native_call_embedding_byte.dtype_out"].calls == 3
    assert any("Fully Connected" in name for name in times)
    inner = sum(time.total_ms for name, time in times.items() if name.startswith("native_call_"))
    assert 0 < inner < times["Method::execute"].total_ms
    silent = Program(path)
    assert silent.operator_times() == {}
    with pytest.raises(EngineError, match="trace_operators"):
        silent.etdump()


def test_desktop_reads_the_etdump(path: Path, tmp_path: Path) -> None:
    traced = Program(path, trace_operators=True)
    traced.run(*inputs())
    dump = tmp_path / "run.etdump"
    dump.write_bytes(traced.etdump())
    assert traced.etdump() == b""
    traced.run(*inputs())
    assert len(traced.etdump()) > 100
    answer = run_python(
        """
import json, sys
from executorch.devtools import Inspector
blocks = Inspector(etdump_path=sys.argv[1]).event_blocks
print(json.dumps({"names": [event.name for block in blocks for event in block.events]}))
""",
        dump,
    )
    assert "Method::execute" in answer["names"]
    assert any("embedding_byte" in name for name in answer["names"])


def test_fresh_process_stays_small_and_free_of_torch(path: Path) -> None:
    answer = run_python(
        """
import json, resource, sys
from pathlib import Path
import numpy as np
from edge.nlu.program import Program
program = Program(Path(sys.argv[1]))
program.run(np.zeros((1, 9), np.int64), np.ones((1, 9, 2), np.float32))
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(json.dumps({"mib": int(peak.split()[1]) / 1024, "modules": sorted(sys.modules)}))
""",
        path,
    )
    assert answer["mib"] <= 36
    assert not {"torch", "executorch", "transformers", "onnxruntime"} & set(answer["modules"])

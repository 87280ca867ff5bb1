"""Bundle files with changed bytes: read as before or refused in one line, quickly and in little memory.

``EDGE_FUZZ_ARCHIVES`` says how many.
"""

from __future__ import annotations

import os
import random
import time
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from edge.bundle.format import open_bundle, open_path, write_bundle
from edge.errors import BundleError
from tests.fuzz.programs import with_changes

COUNT, FIRST = int(os.environ.get("EDGE_FUZZ_ARCHIVES", "300")), int(os.environ.get("EDGE_FUZZ_SEED", "0"))
_MAX_MEMORY_BYTES = 64 << 20
_MAX_S = 1.0


@pytest.mark.timeout(0)
def test_a_changed_archive_is_read_or_refused(tmp_path: Path) -> None:
    home, changed = open_bundle("home"), tmp_path / "changed.edge"
    contents = {name: home.read(name) for name in ("lexicon/en.json", "lexicon/de.json", home.manifest.hearing["en"])}
    manifest = msgspec.structs.replace(home.manifest, student=None)
    data = write_bundle(tmp_path / "whole.edge", manifest, contents).source.read_bytes()
    refused = 0
    tracemalloc.start()
    try:
        for seed in range(FIRST, FIRST + COUNT):
            changed.write_bytes(with_changes(data, random.Random(seed)))
            begun = time.process_time()
            try:
                open_path(changed)
            except BundleError as error:
                assert "\n" not in str(error), seed
                refused += 1
            assert time.process_time() - begun < _MAX_S, seed
        assert tracemalloc.get_traced_memory()[1] < _MAX_MEMORY_BYTES
    finally:
        tracemalloc.stop()
    assert refused > COUNT * 0.9

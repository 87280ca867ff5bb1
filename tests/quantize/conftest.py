"""What tests of the build path share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from edge.bundle.format import Bundle
from quantize.pipeline import build
from tests.quantize.tiny_home import TINY


@pytest.fixture(autouse=True)
def fresh_accelerator() -> Iterator[None]:
    """Accelerate keeps its settings for the whole process: forget them, so that tests do not depend on their order."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of the tiny recipe, with its work beside it."""
    AcceleratorState._reset_state(reset_partial_state=True)
    return build(TINY, tmp_path_factory.mktemp("tiny"), Path())

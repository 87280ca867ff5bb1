"""What tests of several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.testbed.fixtures import (  # noqa: F401
    broker,
    home_assistant,
    namespace,
    network,
    running_broker,
    running_home_assistant,
    running_zigbee,
    zigbee,
)

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The key that signs what tests build is made by them, and trusted by nobody else."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the evaluation data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("EDGE_DATA_DIR", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data in {folder}: set EDGE_DATA_DIR")
    return folder

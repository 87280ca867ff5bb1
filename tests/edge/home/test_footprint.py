"""What a connection costs on top of the loop: memory and parse time with 300 and 5,000 entities."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.home.connections import Connection, save_connection
from tests.command import CHECKOUT
from tests.testbed.fixtures import config_folder
from tests.testbed.home_assistant import HomeAssistantServer
from tests.testbed.namespace import Namespace


def measured(*connection: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.edge.home.footprint", *connection]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("crowd", "least", "most_mib"), [(255, 300, 12.0), (4955, 5000, 40.0)])
def test_a_connection_costs_little(
    network: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: int, least: int, most_mib: float
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    server = HomeAssistantServer(config_folder(tmp_path), crowd=crowd, port=8125)
    server.start()
    try:
        save_connection(Connection("big", server.url, token=server.token))
        without, first, second = measured(), measured("big"), measured("big")
    finally:
        server.stop()
    for found in (first, second):
        assert found["entities"] >= least
        assert found["rss_mib"] - without["rss_mib"] <= most_mib
        assert found["parse_ms"] < 2 * without["parse_ms"] + 0.2

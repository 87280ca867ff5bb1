"""What the Makefile hands to the commands that it starts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def test_every_exported_variable_has_a_name() -> None:
    command = ["make", "--eval", "show-environment: ; @env -0", "show-environment"]
    shown = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    names = [entry.partition("=")[0] for entry in shown.split("\0") if entry]
    assert "PIP_DISABLE_PIP_VERSION_CHECK" in names
    assert not [name for name in names if not re.fullmatch(r"\w[^=]*", name)]

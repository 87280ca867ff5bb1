"""Keeps dependencies from reporting to their makers."""

from __future__ import annotations

import os

_SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime >= 1.29 keeps a device id in the cache folder and uploads events
    "HF_HUB_DISABLE_TELEMETRY": "1",  # transformers, tokenizers
    "DO_NOT_TRACK": "1",  # the common switch of many tools
}


def telemetry_off() -> None:
    """Set every switch in the environment, for this process and its children.

    onnxruntime reads its switch when it is imported: `edge`, `quantize` and `benchmarks` call this first.
    """
    os.environ.update(_SWITCHES)

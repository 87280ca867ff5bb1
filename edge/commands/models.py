"""``edge models``: speech models and voices of this device."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from edge.commands.output import write_json, write_line


def models(arguments: argparse.Namespace) -> int:
    """Carry out ``edge models``."""
    from edge.models.catalog import install, installed_model, list_models, remove

    if arguments.action == "install":
        write_line(f"installed in {install(arguments.model, _Bar() if sys.stderr.isatty() else None)}")
    elif arguments.action == "remove":
        remove(arguments.model)
        write_line(f"removed {arguments.model}")
    else:
        rows = [(model, installed_model(model.name)) for model in list_models()]
        if arguments.json:
            write_json([{**asdict(model), "installed": str(folder) if folder else None} for model, folder in rows])
            return 0
        for model, folder in rows:
            size = f"{model.size_mb:7.0f} MB" if model.size_mb is not None else " " * 10
            mark = "installed" if folder else ""
            write_line(f"{model.engine:<6} {model.language:<6} {size}  {model.name:<40} {mark:<10} {model.licence}")
    return 0


class _Bar:
    """A progress bar on standard error."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, done: int, expected: int | None) -> None:
        """Draw it again when a further percent, or megabyte, is there."""
        step = 100 * done // expected if expected else done >> 20
        if step == self._shown:
            return
        self._shown = step
        bar = f"{'#' * (step // 4):<25} {step:3d} %" if expected else f"{step} MiB"
        sys.stderr.write(f"\r{bar}" + ("\n" if done == expected else ""))
        sys.stderr.flush()

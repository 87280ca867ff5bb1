"""Runs the ``edge`` command as ``python -m edge``."""

from __future__ import annotations

import sys

from edge.commands.cli import main

sys.exit(main())

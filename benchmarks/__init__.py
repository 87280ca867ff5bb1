"""Is it fast, small and right enough?

The harness that holds every stage against a board, and the ``edge-bench`` command.
"""

import edge  # noqa: F401  turns the dependencies' telemetry off

"""Is it fast, small and right enough?

The harness that holds every stage against a board, and the ``edge-bench`` command.
"""

from edge.telemetry import telemetry_off

telemetry_off()

"""How is a bundle made?

The build path from data to a quantized student, and the ``edge-quantize`` command.
"""

from edge.telemetry import telemetry_off

telemetry_off()

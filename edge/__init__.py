"""What runs on the device?

The voice assistant from microphone to speaker, and the ``edge`` command.
"""

from edge.telemetry import telemetry_off

telemetry_off()

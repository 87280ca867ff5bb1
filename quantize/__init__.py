"""How is a bundle made?

The build path from data to a quantized student, and the ``edge-quantize`` command.
"""

import edge  # noqa: F401  turns the dependencies' telemetry off

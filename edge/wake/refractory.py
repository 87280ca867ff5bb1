"""Keeps a wake detector from answering twice, and from answering the assistant's own voice."""

from __future__ import annotations

from edge.protocols import WakeDetector
from edge.types import AudioFrame


class Refractory:
    """Lets a detection through at most every ``refractory_ms``, and none while ``mute`` is on.

    After ``mute(False)`` the detector starts afresh and stays deaf for ``echo_ms``, while the room and the card's
    buffers still carry the reply.
    """

    def __init__(self, detector: WakeDetector, refractory_ms: float = 2000.0, echo_ms: float = 300.0) -> None:
        self._detector = detector
        self._refractory_ms = refractory_ms
        self._echo_ms = echo_ms
        self._deaf_ms = 0.0
        self._muted = False

    def accept(self, frame: AudioFrame) -> bool:
        """True on the frame that completed a wake word that counts."""
        if self._muted:
            return False
        heard = self._detector.accept(frame)
        if self._deaf_ms > 0:
            self._deaf_ms -= frame.duration_ms
            return False
        if heard:
            self._deaf_ms = self._refractory_ms
        return heard

    def mute(self, muted: bool) -> None:
        """Stop listening while the assistant speaks; start again afterwards."""
        if self._muted and not muted:
            self._detector.reset()
            self._deaf_ms = max(self._deaf_ms, self._echo_ms)
        self._muted = muted

    def reset(self) -> None:
        """Forget the audio so far; how long it stays deaf is unchanged."""
        self._detector.reset()

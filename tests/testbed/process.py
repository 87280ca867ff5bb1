"""A server as a process: started, watched until it is ready, stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Server:
    """One server process; its output goes to ``log``."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> None:
        self._command, self.log, self._env = [str(part) for part in command], log, env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], within_s: float) -> None:
        """Start the server and wait until it is ready."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.log.parent,
                env={**kept, **(self._env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        end_s = time.monotonic() + within_s
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end_s:
                tail = self.log.read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"{self._command[0]} did not become ready in {within_s} s:\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask the server to end, and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze the server: it keeps its connections and answers nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

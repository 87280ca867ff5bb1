"""The one thread that runs everything that talks to a network."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)
_END_WITHIN_S = 3.0


class LinkThread:
    """An asyncio loop in a thread of its own, which ends with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="links", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Run ``work`` in the thread; its result or exception is in the future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stay(self, work: Coroutine[Any, Any, None], what: str) -> Future[None]:
        """Run ``work`` for as long as the thread lives; an exception that ends it is logged as one of ``what``."""

        def ended(future: Future[None]) -> None:
            if not future.cancelled() and (error := future.exception()) is not None:
                _LOG.error("%s ended: %s", what, error, exc_info=error)

        future = self.begin(work)
        future.add_done_callback(ended)
        return future

    def close(self) -> None:
        """Cancel what still runs and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_END_WITHIN_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

"""One WebSocket connection to Home Assistant: questions with answers, and subscriptions."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from edge.errors import HomeError

_OPEN_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 20.0
_PING_EVERY_S, _PONG_WITHIN_S = 4.0, 3.0
"""A connection that the network lost is noticed after 7 s at most; a ping is 6 bytes."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class TokenRefusedError(HomeError):
    """Home Assistant does not accept the token."""


class LostError(HomeError):
    """The connection was lost before an answer came."""


class CommandError(HomeError):
    """Home Assistant answered with an error; ``code`` is its short name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"Home Assistant: {message} ({code})")
        self.code, self.message = code, message


class _Error(msgspec.Struct):
    code: str = "unknown_error"
    message: str = ""


class _Message(msgspec.Struct):
    type: str
    id: int = 0
    success: bool = True
    result: msgspec.Raw = msgspec.Raw(b"null")
    event: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None
    message: str = ""
    ha_version: str = ""


_DECODER = msgspec.json.Decoder(_Message)


class HomeSocket:
    """An authenticated connection. Only ``listen`` reads from it; everything else waits for what it finds."""

    def __init__(self, connection: ClientConnection, version: str) -> None:
        self._connection, self.version = connection, version
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._events: dict[int, Callable[[msgspec.Raw], None]] = {}

    @classmethod
    async def open(cls, url: str, token: str, certificate: str | None = None) -> HomeSocket:
        """Connect to the Home Assistant at ``url`` and log in; ``certificate`` is a file of your own authority.

        Raises:
            TokenRefusedError: the token is wrong or was revoked.
            HomeError: nothing answers there, or something else does.
        """
        address = f"{url.rstrip('/').replace('http', 'ws', 1)}/api/websocket"
        try:
            connection = await connect(
                address,
                compression=None,
                proxy=None,
                max_size=None,
                open_timeout=_OPEN_WITHIN_S,
                close_timeout=0.2,
                ping_interval=_PING_EVERY_S,
                ping_timeout=_PONG_WITHIN_S,
                ssl=ssl.create_default_context(cafile=certificate) if urlsplit(address).scheme == "wss" else None,
            )
        except (OSError, asyncio.TimeoutError, WebSocketException, ValueError) as error:
            raise HomeError(f"no Home Assistant answers at {url}: {_reason(error)}") from error
        opened = cls(connection, "")
        try:
            await asyncio.wait_for(opened._log_in(token), _OPEN_WITHIN_S)
        except (OSError, asyncio.TimeoutError, WebSocketException, msgspec.MsgspecError) as error:
            opened.abort()
            raise HomeError(f"what answers at {url} is not Home Assistant: {_reason(error)}") from error
        except BaseException:
            opened.abort()
            raise
        return opened

    async def listen(self) -> None:
        """Hand out answers and events until the connection ends; then every open question fails."""
        try:
            while True:
                data = await self._connection.recv(decode=False)
                message = _DECODER.decode(data)
                if message.type == "event":
                    handle = self._events.get(message.id)
                    if handle is not None:
                        handle(message.event)
                elif (waiting := self._answers.pop(message.id, None)) is not None and not waiting.done():
                    if message.success:
                        waiting.set_result(message.result)
                    else:
                        error = message.error or _Error()
                        waiting.set_exception(CommandError(error.code, error.message))
        except (OSError, WebSocketException, msgspec.MsgspecError) as error:
            raise LostError(f"the connection to Home Assistant ended: {_reason(error)}") from error
        finally:
            self._give_up()
            self.abort()

    async def ask(self, kind: str, within_s: float = _ANSWER_WITHIN_S, **fields: object) -> msgspec.Raw:
        """The result of a command.

        Raises:
            CommandError: Home Assistant says that it cannot.
            LostError: the connection ended or nothing came in time.
        """
        return await self._answer(self.send(kind, **fields), kind, within_s)

    def send(self, kind: str, **fields: object) -> asyncio.Future[msgspec.Raw]:
        """Send a command at once; its result is in the future."""
        return self._send(next(self._numbers), kind, fields)

    async def subscribe(self, kind: str, handle: Callable[[msgspec.Raw], None], **fields: object) -> int:
        """Let ``handle`` take the events of a subscription; its number, for ``unsubscribe``."""
        number = next(self._numbers)
        self._events[number] = handle
        await self._answer(self._send(number, kind, fields), kind, _ANSWER_WITHIN_S)
        return number

    async def unsubscribe(self, number: int) -> None:
        """End a subscription."""
        self._events.pop(number, None)
        await self.ask("unsubscribe_events", subscription=number)

    async def close(self) -> None:
        """Say goodbye."""
        await self._connection.close()

    def abort(self) -> None:
        """End the connection at once; what the network has not taken yet is forgotten, so that nothing arrives late."""
        transport = self._connection.transport
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()

    async def _log_in(self, token: str) -> None:
        greeting = _DECODER.decode(await self._connection.recv(decode=False))
        if greeting.type != "auth_required":
            raise HomeError(f"it begins with {greeting.type!r}")
        await self._connection.send(_encoded({"type": "auth", "access_token": token}))
        answer = _DECODER.decode(await self._connection.recv(decode=False))
        if answer.type != "auth_ok":
            raise TokenRefusedError(
                f"Home Assistant refused the token ({answer.message or answer.type}); "
                "make a new one in your profile and type: edge home connect URL"
            )
        self.version = answer.ha_version

    def _send(self, number: int, kind: str, fields: dict[str, object]) -> asyncio.Future[msgspec.Raw]:
        """Write the whole frame before anything else runs: a task that is cancelled later has sent all or nothing."""
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        sending = asyncio.ensure_future(self._connection.send(_encoded({"id": number, "type": kind, **fields})))
        sending.add_done_callback(lambda done: _note_failure(done, answer))
        return answer

    async def _answer(self, answer: asyncio.Future[msgspec.Raw], kind: str, within_s: float) -> msgspec.Raw:
        try:
            return await asyncio.wait_for(answer, within_s)
        except asyncio.TimeoutError as error:
            raise LostError(f"Home Assistant did not answer {kind} within {within_s:g} s") from error

    def _give_up(self) -> None:
        waiting, self._answers = self._answers, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(LostError("the connection to Home Assistant was lost"))
                answer.exception()


def _note_failure(sending: asyncio.Future[None], answer: asyncio.Future[msgspec.Raw]) -> None:
    error = None if sending.cancelled() else sending.exception()
    if error is not None and not answer.done():
        answer.set_exception(LostError(f"the connection to Home Assistant was lost: {_reason(error)}"))
        answer.exception()


def _encoded(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__

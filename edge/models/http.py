"""Opens addresses over HTTP with a deadline for the whole answer; a redirect never leaves HTTPS."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from edge.errors import EngineError

_AGENT = "edge-assistant"
_CHUNK_BYTES = 1 << 16
_LONGEST_NUMBER = 15
_SLOW = "the server is too slow"


class Answer:
    """What a server sends: status, headers and chunks of the body until the deadline."""

    def __init__(self, response: http.client.HTTPResponse, until_s: float) -> None:
        self._response, self._until_s = response, until_s
        self.status = response.status

    def header(self, name: str) -> str:
        """A header's value, empty where the server sends none."""
        return str(self._response.headers.get(name, ""))

    def length(self) -> int | None:
        """The stated length of the body in bytes; raises ValueError if it is not a number."""
        text = self.header("Content-Length").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            raise ValueError(f"a length of {text[:40]!r}")
        return int(text)

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives; raises OSError (TimeoutError at the deadline) or HTTPException."""
        while chunk := self._response.read1(_CHUNK_BYTES):
            yield chunk
            if time.monotonic() > self._until_s:
                raise TimeoutError(_SLOW)


@contextmanager
def opened(
    url: str, headers: Mapping[str, str] | None = None, *, timeout_s: float, deadline_s: float
) -> Iterator[Answer]:
    """The answer to a GET request; each wait ends after ``timeout_s``, the whole after ``deadline_s``.

    Raises:
        EngineError: a redirect to another scheme.
        OSError, http.client.HTTPException: no connection, an error status (``urllib.error.HTTPError``), the deadline.
    """
    until_s = time.monotonic() + deadline_s
    request = urllib.request.Request(
        url, headers={"User-Agent": _AGENT, "Accept-Encoding": "identity", **(headers or {})}
    )
    with _headers_by(until_s) as connections:
        response = _opener(connections).open(request, timeout=timeout_s)
    with response:
        yield Answer(response, until_s)


@contextmanager
def _headers_by(until_s: float) -> Iterator[list[http.client.HTTPConnection]]:
    """A list of connections that are cut at the deadline: urllib waits for each byte of the headers anew."""
    connections: list[http.client.HTTPConnection] = []
    late = threading.Event()

    def cut() -> None:
        late.set()
        for connection in connections:
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, until_s - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield connections
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError(_SLOW) from error
        raise
    finally:
        timer.cancel()
    if late.is_set():  # http.client takes a cut in the headers for their end
        raise TimeoutError(_SLOW)


def _opener(connections: list[http.client.HTTPConnection]) -> urllib.request.OpenerDirector:
    """Proxies, HTTP and HTTPS; none of the ``file``, ``ftp`` and ``data`` addresses that urllib opens by default."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _HTTP(connections),
        _HTTPS(connections),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _kept(
    connections: list[http.client.HTTPConnection], make: Callable[..., http.client.HTTPConnection]
) -> Callable[..., http.client.HTTPConnection]:
    def connect(*arguments: Any, **settings: Any) -> http.client.HTTPConnection:
        connections.append(make(*arguments, **settings))
        return connections[-1]

    return connect


class _HTTP(urllib.request.HTTPHandler):
    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connect = _kept(connections, http.client.HTTPConnection)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open with a connection that the deadline cuts."""
        return self.do_open(self._connect, req)


class _HTTPS(urllib.request.HTTPSHandler):
    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connect = _kept(connections, http.client.HTTPSConnection)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open with a connection that the deadline cuts."""
        return self.do_open(self._connect, req)


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Follow within the scheme, or to HTTPS."""
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in (req.type, "https"):
            fp.close()
            raise EngineError(f"{req.full_url} is refused: it redirects from {req.type} to {scheme[:20]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

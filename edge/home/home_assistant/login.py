"""Logs in to Home Assistant without a browser, to get a long-lived token."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec

from edge.errors import HomeError
from edge.home.home_assistant.socket import HomeSocket

_WITHIN_S = 10.0
_LIFESPAN_DAYS = 3650
_STEPS = 5


def log_in(
    url: str, user: str, password: str, ask_code: Callable[[], str], client: str, certificate: str | None = None
) -> str:
    """A long-lived token for ``user``, named ``client`` in their profile.

    ``ask_code`` is for a second factor, ``certificate`` a file of your own authority.

    Raises:
        HomeError: the name or password is wrong, or no Home Assistant answers.
    """
    here, context = url + "/", ssl.create_default_context(cafile=certificate)

    def post(path: str, body: dict[str, object]) -> dict[str, Any]:
        return _send(url + path, json.dumps(body).encode(), "application/json", context)

    step = post("/auth/login_flow", {"client_id": here, "handler": ["homeassistant", None], "redirect_uri": here})
    for _ in range(_STEPS):
        if step.get("type") == "create_entry":
            break
        if step.get("errors"):
            raise HomeError(f"Home Assistant refused {user!r}: {', '.join(map(str, step['errors'].values()))}")
        if step.get("type") != "form":
            raise HomeError(f"Home Assistant refused {user!r}: {step.get('reason') or step.get('type')}")
        if step.get("step_id") == "init":
            answer = {"username": user, "password": password}
        elif step.get("step_id") == "mfa":
            answer = {"code": ask_code()}
        else:
            answer = {"multi_factor_auth_module": _first_option(step)}
        step = post(f"/auth/login_flow/{step['flow_id']}", {"client_id": here, **answer})
    else:
        raise HomeError("Home Assistant asks for more than a password and a code: use a long-lived token")
    form = {"grant_type": "authorization_code", "code": step["result"], "client_id": here}
    data = urllib.parse.urlencode(form).encode()
    access = _send(url + "/auth/token", data, "application/x-www-form-urlencoded", context)
    return asyncio.run(_long_lived(url, str(access["access_token"]), client, certificate))


async def _long_lived(url: str, access: str, client: str, certificate: str | None) -> str:
    home = await HomeSocket.open(url, access, certificate)
    listening = asyncio.ensure_future(home.listen())
    try:
        answer = await home.ask("auth/long_lived_access_token", client_name=client, lifespan=_LIFESPAN_DAYS)
        return msgspec.json.decode(answer, type=str)
    finally:
        listening.cancel()
        await home.close()


def _first_option(step: dict[str, Any]) -> str:
    fields = {str(field.get("name")): field for field in step.get("data_schema") or []}
    options = fields.get("multi_factor_auth_module", {}).get("options") or [[""]]
    return str(options[0][0])


def _send(address: str, data: bytes, kind: str, context: ssl.SSLContext) -> dict[str, Any]:
    request = urllib.request.Request(address, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN_S, context=context) as answer:
            decoded = json.load(answer)
    except urllib.error.HTTPError as error:
        raise HomeError(f"Home Assistant answered {address} with {error.code} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise HomeError(f"no Home Assistant answers at {address}: {getattr(error, 'reason', None) or error}") from error
    if not isinstance(decoded, dict):
        raise HomeError(f"what answers at {address} is not Home Assistant")
    return decoded

"""A real Home Assistant with a demo house, and an administrator who uses its WebSocket."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.testbed.build import NEW, ffmpeg, home_assistant
from tests.testbed.process import Server

PORT = 8123
USER, PASSWORD = "tester", "test-only"
_SETTINGS = """
homeassistant:
  name: Testhouse
  latitude: 52.5
  longitude: 13.4
  elevation: 30
  unit_system: {units}
  time_zone: Europe/Berlin
  country: DE
  language: en
  internal_url: http://127.0.0.1:{port}
api:
websocket_api:
config:
auth:
onboarding:
conversation:
intent:
assist_pipeline:
tts:
  - platform: demo
todo:
person:
zone:
demo:
input_boolean:
  party: {{name: Party mode}}
script:
  good_night:
    alias: Good night
    sequence:
      - action: light.turn_off
        target: {{entity_id: all}}
template:
  - sensor:
      - name: Outdoor temperature
        unique_id: outdoor_temp
        unit_of_measurement: "°C"
        device_class: temperature
        state: "{{{{ 7.5 }}}}"
ffmpeg:
  ffmpeg_bin: {ffmpeg}
logger:
  default: warning
{more}
"""
_CROWD = Path(__file__).with_name("crowd")


class HomeAssistantServer:
    """Home Assistant in a folder of its own; ``token`` belongs to its administrator."""

    def __init__(self, folder: Path, *, crowd: int = 0, units: str = "metric", port: int = PORT) -> None:
        """``crowd`` adds that many lamps to the demo house; ``units`` are ``metric`` or ``us_customary``."""
        program = home_assistant()
        if program is None:
            raise FileNotFoundError("Home Assistant")
        self.url, self.token, self.version = f"http://127.0.0.1:{port}", "", program.parents[1].name.rpartition("-")[2]
        self._folder = folder
        more = f"light:\n  - platform: crowd\n    count: {crowd}\n" if crowd else ""
        if self.version != NEW:
            more += f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\n"
        text = _SETTINGS.format(units=units, port=port, ffmpeg=ffmpeg() or "ffmpeg", more=more)
        (folder / "configuration.yaml").write_text(text)
        if crowd:
            (folder / "custom_components").mkdir()
            (folder / "custom_components" / "crowd").symlink_to(_CROWD)
        _keep_to_loopback(folder / ".storage", port)
        self._server = Server([program, "-c", folder, "--skip-pip"], folder / "out.log")

    def start(self) -> None:
        """Start, create the administrator at the first time, and wait until everything runs."""
        self._server.start(self._answers, within_s=120)
        if not self.token:
            self.token = self._onboard()
        end_s = time.monotonic() + 120
        while self._request("/api/config", token=self.token)["state"] != "RUNNING":
            if time.monotonic() > end_s:
                raise RuntimeError(f"Home Assistant does not reach RUNNING; see {self._folder}/out.log")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop as a person would."""
        self._server.stop()

    def kill(self) -> None:
        """Stop as a power cut would; what was changed in the last ten seconds is lost."""
        self._server.kill()

    def pause(self) -> None:
        """Freeze: connections stay, nothing answers."""
        self._server.pause()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._server.resume()

    @contextmanager
    def administrator(self) -> Iterator[Administrator]:
        """A WebSocket connection with every right."""
        with connect(self.url.replace("http", "ws", 1) + "/api/websocket", max_size=None, compression=None) as socket:
            socket.recv()
            socket.send(json.dumps({"type": "auth", "access_token": self.token}))
            if json.loads(socket.recv())["type"] != "auth_ok":
                raise PermissionError("Home Assistant refused the administrator")
            yield Administrator(socket)

    def set_up(self, handler: str, *steps: dict[str, object]) -> dict[str, Any]:
        """Add an integration as its dialog would; the last answer."""
        flows = "/api/config/config_entries/flow"
        answer = self._request(flows, {"handler": handler}, self.token)
        for step in steps:
            answer = self._request(f"{flows}/{answer['flow_id']}", step, self.token)
        return answer

    def _answers(self) -> bool:
        try:
            self._request("/api/onboarding")
        except (urllib.error.HTTPError, OSError, json.JSONDecodeError):
            return False
        return True

    def _onboard(self) -> str:
        client = self.url + "/"
        user = {"name": "Tester", "username": USER, "password": PASSWORD, "client_id": client, "language": "en"}
        code = self._request("/api/onboarding/users", user)["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": client}
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + "/auth/token", data), timeout=30) as answer:
            first = json.load(answer)["access_token"]
        self._request("/api/onboarding/analytics", {}, first)
        redirect = {"client_id": client, "redirect_uri": client + "?auth_callback=1"}
        self._request("/api/onboarding/integration", redirect, first)
        self.token = first
        with self.administrator() as administrator:
            return str(administrator.ask("auth/long_lived_access_token", client_name="tests", lifespan=365))

    def _request(self, path: str, body: dict[str, object] | None = None, token: str = "") -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=30) as answer:
            return json.load(answer)


class Administrator:
    """Asks and tells Home Assistant whatever an administrator may."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._next = socket, 1
        self._events: dict[int, list[Any]] = {}

    def ask(self, kind: str, **fields: object) -> Any:
        """The result of a command; raises RuntimeError with the error that Home Assistant gives."""
        number, self._next = self._next, self._next + 1
        self._socket.send(json.dumps({"id": number, "type": kind, **fields}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer["type"] == "event":
                self._events[answer["id"]].append(answer["event"])
            if answer.get("id") == number and answer["type"] == "result":
                if not answer["success"]:
                    raise RuntimeError(f"{kind}: {answer['error']}")
                return answer["result"]

    def subscribe(self, event_type: str, events: list[Any]) -> None:
        """Put events of a type into ``events``; they arrive while something is asked."""
        number = self._next
        self._events[number] = events
        self.ask("subscribe_events", event_type=event_type)

    def state(self, entity_id: str) -> dict[str, Any]:
        """State and attributes of an entity."""
        return next(state for state in self.ask("get_states") if state["entity_id"] == entity_id)

    def call(self, domain: str, service: str, entity_id: str, **data: object) -> None:
        """Call a service."""
        self.ask("call_service", domain=domain, service=service, service_data=data, target={"entity_id": entity_id})

    def put(self, entity_id: str, area_id: str | None) -> None:
        """Put the device of an entity into a room, or into none."""
        entry = self.ask("config/entity_registry/get", entity_id=entity_id)
        self.ask("config/device_registry/update", device_id=entry["device_id"], area_id=area_id)


def _keep_to_loopback(storage: Path, port: int) -> None:
    """Let Home Assistant listen on the loopback address from its first second."""
    storage.mkdir()
    stable = {
        "server_port": port,
        "server_host": ["127.0.0.1"],
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": datetime.now(timezone.utc).isoformat(),
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    kept = {"version": 3, "minor_version": 1, "key": "http", "data": data}
    (storage / "http").write_text(json.dumps(kept))
    network = {"version": 1, "minor_version": 1, "key": "core.network", "data": {"configured_adapters": ["lo"]}}
    (storage / "core.network").write_text(json.dumps(network))

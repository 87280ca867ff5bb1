"""Speech to a real lamp: a recording through the whole loop, at Home Assistant and at zigbee2mqtt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge import compose
from edge.assistant import Assistant
from edge.config import Profile, load_profile
from edge.home.connections import Connection, save_connection
from edge.home.port import HomePort
from edge.parts import Turn
from edge.types import AudioFrame, Transcript
from tests.edge.home.waiting import eventually
from tests.testbed import zigbee as bed
from tests.testbed.home_assistant import HomeAssistantServer
from tests.testbed.namespace import Namespace
from tests.testbed.zigbee import LAMP, Broker, Zigbee

KITCHEN, ZIGBEE = "light.kitchen_lights", "light.kitchen_ceiling_lamp"


class Listener:
    """A speaker that notes what ``look`` sees at the moment when a reply begins."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self.seen: list[object] = []

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        self.seen.append(self._look())
        assert sum(len(frame.pcm) for frame in frames) > 0
        return 0.0

    def close(self) -> None:
        pass


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Someone who says "turn on the kitchen light"."""
    path = tmp_path / "command.wav"
    speaker = compose.wav_speaker(str(path))
    speaker.play(compose.voices(load_profile("desktop"))("en").synthesize("turn on the kitchen light"))
    speaker.close()
    return path


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Connection], Profile]:
    """A desktop whose home is this connection."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def settle(connection: Connection) -> Profile:
        save_connection(connection)
        profile = load_profile("desktop")
        dwelling = msgspec.structs.replace(profile.home, connection=connection.name, store=None)
        return msgspec.structs.replace(profile, home=dwelling)

    return settle


@pytest.fixture
def flat(home_assistant: HomeAssistantServer, at_home: Callable[[Connection], Profile]) -> Iterator[Profile]:
    """A desktop in the house of Home Assistant, with the kitchen lights off and in the kitchen."""
    with home_assistant.administrator() as administrator:
        administrator.call("light", "turn_off", KITCHEN)
        administrator.put(KITCHEN, "kitchen")
    yield at_home(Connection("flat", home_assistant.url, token=home_assistant.token))
    with home_assistant.administrator() as administrator:
        administrator.put(KITCHEN, None)


@pytest.fixture
def cabin(zigbee: Zigbee, broker: Broker, at_home: Callable[[Connection], Profile]) -> Profile:
    """A desktop in the house of zigbee2mqtt, with the kitchen lamp off."""
    broker.publish("zigbee2mqtt/kitchen/ceiling lamp/set", {"state": "OFF"})
    eventually(lambda: bool(zigbee.frames()) and zigbee.frames()[-1]["command"] == "off")
    return at_home(Connection("cabin", f"mqtt://127.0.0.1:{broker.port}", user=bed.USER, password=bed.PASSWORD))


def state(port: HomePort, entity_id: str) -> str | None:
    entity = port.snapshot().entity(entity_id)
    return entity.state if entity is not None else None


def hear(profile: Profile, port: HomePort, recording: Path, speaker: Listener) -> Turn:
    """One turn from the recording."""
    ears = compose.ears(profile, wake="none", port=port)
    mind, mouth = compose.mind(profile, None, port=port), compose.mouth(profile, speaker)
    (turn,) = Assistant(mind, ears, mouth).turns(compose.wav_microphone(str(recording)).frames())
    return turn


def test_a_spoken_command_switches_a_light_of_home_assistant(
    flat: Profile, home_assistant: HomeAssistantServer, recording: Path
) -> None:
    with home_assistant.administrator() as administrator, compose.home_port(flat) as port:
        assert port is not None
        speaker = Listener(lambda: administrator.state(KITCHEN)["state"])
        turn = hear(flat, port, recording, speaker)
        assert turn.error is None
        assert turn.action is not None
        assert turn.action.targets == (KITCHEN,)
        assert speaker.seen == ["on"], "the reply follows the state change"
        assert turn.reply is not None
        assert not turn.reply.refused


def test_a_spoken_command_reaches_the_radio_of_zigbee2mqtt(cabin: Profile, zigbee: Zigbee, recording: Path) -> None:
    with compose.home_port(cabin) as port:
        assert port is not None
        eventually(lambda: state(port, ZIGBEE) == "off")
        before = len(zigbee.frames())

        def sent() -> list[tuple[str, str]]:
            frames = zigbee.frames()[before:]
            return [(frame["ieee"], frame["command"]) for frame in frames if frame["command"] != "read"]

        speaker = Listener(sent)
        turn = hear(cabin, port, recording, speaker)
        assert turn.error is None
        assert turn.action is not None
        assert ZIGBEE in turn.action.targets
        assert speaker.seen == [[(LAMP, "on")]], "the radio received the frame before the reply"
        assert state(port, ZIGBEE) == "on"


@pytest.mark.parametrize("place", ["flat", "cabin"])
def test_from_the_text_to_the_state_change_takes_no_time(place: str, request: pytest.FixtureRequest) -> None:
    profile: Profile = request.getfixturevalue(place)
    lamp = {"flat": KITCHEN, "cabin": ZIGBEE}[place]
    with compose.home_port(profile) as port:
        assert port is not None
        mind = compose.mind(profile, "en", port=port)
        times = []
        for number in range(100):
            way = "off" if number % 2 else "on"
            begun_s = time.perf_counter()
            parse = mind.parser.parse(Transcript(f"turn {way} the kitchen light"))
            mind.skill.handle(parse)
            times.append(time.perf_counter() - begun_s)
            assert state(port, lamp) == way
    times.sort()
    assert times[94] < 0.15, f"p95 {times[94] * 1000:.1f} ms"


def answers(profile: Profile, port: HomePort, text: str, language: str) -> tuple[Turn, float]:
    """One typed turn, and the seconds that it took."""
    assistant = Assistant(compose.mind(profile, language, typed=True, port=port))
    begun_s = time.monotonic()
    (turn,) = assistant.turns([Transcript(text)])
    return turn, time.monotonic() - begun_s


@pytest.mark.parametrize(
    ("language", "text", "says"),
    [
        ("en", "turn on the kitchen light", "reach"),
        ("de", "schalte das Licht in der Kitchen ein", "erreich"),
        ("fr", "allume la lumière dans Kitchen", "injoignable"),
    ],
)
def test_who_speaks_while_the_network_is_cut_hears_why(
    flat: Profile, network: Namespace, language: str, text: str, says: str
) -> None:
    with compose.home_port(flat) as port:
        assert port is not None
        mind = compose.mind(flat, language, typed=True, port=port)
        assistant = Assistant(mind)
        with network.cut():
            begun_s = time.monotonic()
            (turn,) = assistant.turns([Transcript(text)])
            assert time.monotonic() - begun_s < 2
        assert turn.error is None
        assert turn.reply is not None
        assert turn.reply.refused
        assert turn.reply.language.split("-")[0] == language
        assert says in turn.reply.text
        eventually(lambda: port.snapshot().connected)


def test_the_loop_outlives_a_server_that_is_killed_in_a_turn(
    flat: Profile, home_assistant: HomeAssistantServer
) -> None:
    with compose.home_port(flat) as port:
        assert port is not None
        assistant = Assistant(compose.mind(flat, "en", typed=True, port=port))
        killing = threading.Timer(0.02, home_assistant.kill)

        def said() -> Iterator[Transcript]:
            killing.start()
            end_s = time.monotonic() + 1
            while time.monotonic() < end_s:
                yield Transcript("turn on the kitchen light")
                yield Transcript("turn off the kitchen light")
            home_assistant.start()
            eventually(lambda: port.snapshot().connected)
            yield Transcript("turn on the kitchen light")

        *before, last = assistant.turns(said())
        killing.join()
        assert all(turn.error is None for turn in before)
        assert any(turn.reply is not None and turn.reply.refused for turn in before)
        assert last.reply is not None
        assert not last.reply.refused
        assert state(port, KITCHEN) == "on"


def test_a_new_name_is_understood_in_the_next_turn(flat: Profile, home_assistant: HomeAssistantServer) -> None:
    with compose.home_port(flat) as port, home_assistant.administrator() as administrator:
        assert port is not None
        mind = compose.mind(flat, "en", typed=True, port=port)
        assistant = Assistant(mind)

        def said() -> Iterator[Transcript]:
            yield Transcript("turn on the chandelier")
            administrator.ask("config/entity_registry/update", entity_id=KITCHEN, aliases=[None, "chandelier"])
            eventually(lambda: "chandelier" in getattr(port.snapshot().entity(KITCHEN), "aliases", ()))
            yield Transcript("turn on the chandelier")

        first, second = assistant.turns(said())
        administrator.ask("config/entity_registry/update", entity_id=KITCHEN, aliases=[None])
        assert first.action is None
        assert second.action is not None
        assert second.action.targets == (KITCHEN,)


def test_a_new_name_is_heard_in_the_next_turn(
    flat: Profile, home_assistant: HomeAssistantServer, tmp_path: Path
) -> None:
    path = tmp_path / "chandelier.wav"
    speaker = compose.wav_speaker(str(path))
    speaker.play(compose.voices(flat)("en").synthesize("turn on the zanzibar lantern"))
    speaker.close()
    with compose.home_port(flat) as port, home_assistant.administrator() as administrator:
        assert port is not None
        ears, mind = compose.ears(flat, wake="none", port=port), compose.mind(flat, None, port=port)
        assistant = Assistant(mind, ears, compose.mouth(flat, Listener(lambda: None)))
        administrator.ask("config/entity_registry/update", entity_id=KITCHEN, aliases=[None, "zanzibar lantern"])
        eventually(lambda: "zanzibar lantern" in getattr(port.snapshot().entity(KITCHEN), "aliases", ()))
        mind.due()
        for improve in ears.front:
            improve.accept(AudioFrame(np.zeros(512, np.int16), 16000))
        eventually(lambda: not any(thread.name == "names" for thread in threading.enumerate()), within_s=30)
        (turn,) = assistant.turns(compose.wav_microphone(str(path)).frames())
        administrator.ask("config/entity_registry/update", entity_id=KITCHEN, aliases=[None])
        assert turn.action is not None, turn
        assert turn.action.targets == (KITCHEN,)

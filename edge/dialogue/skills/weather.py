"""The weather, from the home's weather entities or a local file that something else keeps up to date."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.dialogue.toolbox import Toolbox
from edge.errors import ConfigError
from edge.types import Action, Entity, Parse, Reply


class WeatherReport(msgspec.Struct, forbid_unknown_fields=True):
    """What a weather file says; ``condition`` is one of Home Assistant's (``sunny``, ``rainy``, ``partlycloudy`` …)."""

    condition: str
    temperature: float
    temperature_unit: str = "°C"
    humidity: float | None = None
    pressure: float | None = None
    pressure_unit: str = "hPa"
    wind_speed: float | None = None
    wind_speed_unit: str = "km/h"
    wind_bearing: float | None = None
    uv_index: float | None = None


def read_weather(path: Path) -> WeatherReport:
    """Read a weather file: JSON or, by its name, TOML.

    Raises:
        ConfigError: missing or not a weather report.
    """
    decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
    try:
        return decode(path.read_bytes(), type=WeatherReport)
    except OSError as error:
        raise ConfigError(f"{path}: no weather file; write one with condition and temperature") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{path}: not a weather report: {error}") from error


class GetWeather:
    """HassGetWeather. The file, where one is given, is read at every question."""

    def __init__(self, tools: Toolbox, path: Path | None = None) -> None:
        self._tools = tools
        self._path = path

    def handle(self, parse: Parse) -> tuple[Action | None, Reply]:
        """Tell the weather of the place that was named, or here."""
        if self._path is not None and parse.value("name") is None:
            return self._tools.told(parse, [_station(read_weather(self._path))])
        found = [entity for entity in self._tools.home.snapshot().entities if entity.domain == "weather"]
        if parse.value("name") is not None or not found:
            found = self._tools.targets.find(parse, ("weather",))
        return self._tools.told(parse, found[:1])


def _station(report: WeatherReport) -> Entity:
    attributes = {key: value for key, value in msgspec.structs.asdict(report).items() if value is not None}
    condition = str(attributes.pop("condition"))
    return Entity("weather.local", "weather", state=condition, attributes=attributes)

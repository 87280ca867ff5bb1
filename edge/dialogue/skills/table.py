"""Which skill carries out which intent."""

from __future__ import annotations

from pathlib import Path

from edge.dialogue.skills.climate import GetTemperature, SetFanMode, SetTemperature
from edge.dialogue.skills.levels import FanSetSpeed, SetPosition
from edge.dialogue.skills.lights import LightSet
from edge.dialogue.skills.lists import Lists
from edge.dialogue.skills.machines import Machines
from edge.dialogue.skills.media import SearchAndPlay, Transport, Volume
from edge.dialogue.skills.states import GetState
from edge.dialogue.skills.switching import Toggle, TurnOff, TurnOn
from edge.dialogue.skills.talk import Talk
from edge.dialogue.skills.timing import CancelAllTimers, ChangeTimer, StartTimer, TimerStatus
from edge.dialogue.skills.today import Today
from edge.dialogue.skills.weather import GetWeather
from edge.dialogue.toolbox import Toolbox
from edge.protocols import Skill


def skill_table(tools: Toolbox, weather_path: Path | None = None) -> dict[str, Skill]:
    """Which skill carries out which intent."""
    change, transport, volume, lists = ChangeTimer(tools), Transport(tools), Volume(tools), Lists(tools)
    machines, today, talk = Machines(tools), Today(tools), Talk(tools)
    return {
        "HassTurnOn": TurnOn(tools),
        "HassTurnOff": TurnOff(tools),
        "HassToggle": Toggle(tools),
        "HassLightSet": LightSet(tools),
        "HassSetPosition": SetPosition(tools),
        "HassFanSetSpeed": FanSetSpeed(tools),
        "HassClimateGetTemperature": GetTemperature(tools),
        "HassClimateSetTemperature": SetTemperature(tools),
        "HassClimateSetFanMode": SetFanMode(tools),
        "HassMediaPause": transport,
        "HassMediaUnpause": transport,
        "HassMediaNext": transport,
        "HassMediaPrevious": transport,
        "HassSetVolume": volume,
        "HassSetVolumeRelative": volume,
        "HassMediaPlayerMute": volume,
        "HassMediaPlayerUnmute": volume,
        "HassMediaSearchAndPlay": SearchAndPlay(tools),
        "HassStartTimer": StartTimer(tools),
        "HassIncreaseTimer": change,
        "HassDecreaseTimer": change,
        "HassPauseTimer": change,
        "HassUnpauseTimer": change,
        "HassCancelTimer": change,
        "HassCancelAllTimers": CancelAllTimers(tools),
        "HassTimerStatus": TimerStatus(tools),
        "HassShoppingListAddItem": lists,
        "HassShoppingListCompleteItem": lists,
        "HassListAddItem": lists,
        "HassListCompleteItem": lists,
        "HassListRemoveItem": lists,
        "HassVacuumStart": machines,
        "HassVacuumReturnToBase": machines,
        "HassVacuumCleanArea": machines,
        "HassLawnMowerStartMowing": machines,
        "HassLawnMowerDock": machines,
        "HassGetCurrentTime": today,
        "HassGetCurrentDate": today,
        "HassGetState": GetState(tools),
        "HassGetWeather": GetWeather(tools, weather_path),
        "HassBroadcast": talk,
        "HassNevermind": talk,
        "HassRespond": talk,
    }

"""Which skill carries out which intent."""

from __future__ import annotations

from pathlib import Path

from edge.dialogue.skills.adjust import Adjust
from edge.dialogue.skills.attributes import GetAttribute
from edge.dialogue.skills.climate import GetTemperature, SetFanMode, SetHumidity, SetMode, SetTemperature
from edge.dialogue.skills.levels import FanSetSpeed, SetPosition
from edge.dialogue.skills.lights import LightSet
from edge.dialogue.skills.lists import Lists, TellList
from edge.dialogue.skills.machines import Machines
from edge.dialogue.skills.media import SearchAndPlay, SelectSource, Transport, Volume
from edge.dialogue.skills.states import GetState
from edge.dialogue.skills.stop import Pause, Stop
from edge.dialogue.skills.switching import Toggle, TurnOff, TurnOn
from edge.dialogue.skills.talk import Talk, Today, Unsupported, WhatCanYouDo
from edge.dialogue.skills.timing import CancelAllTimers, ChangeTimer, StartTimer, TimerStatus
from edge.dialogue.skills.weather import GetWeather
from edge.dialogue.toolbox import Toolbox
from edge.protocols import Skill


def skill_table(tools: Toolbox, weather_path: Path | None = None) -> dict[str, Skill]:
    """Which skill carries out which intent."""
    change, transport, volume, lists = ChangeTimer(tools), Transport(tools), Volume(tools), Lists(tools)
    machines, today, talk, told_list = Machines(tools), Today(tools), Talk(tools), TellList(tools)
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
        "EdgeAdjust": Adjust(tools),
        "EdgePause": Pause(tools),
        "EdgeStop": Stop(tools),
        "EdgeClimateSetMode": SetMode(tools),
        "EdgeSetHumidity": SetHumidity(tools),
        "EdgeSelectSource": SelectSource(tools),
        "EdgeGetAttribute": GetAttribute(tools),
        "EdgeListItems": told_list,
        "EdgeCountItems": told_list,
        "EdgeWhatCanYouDo": WhatCanYouDo(tools),
        "EdgeUnsupported": Unsupported(),
    }

"""``edge firmware render``: what a board needs to run the assistant from its first boot, made from its profile."""

from __future__ import annotations

import argparse
import ipaddress
import json
import re
from pathlib import Path

from edge.commands.output import write_line
from edge.config import NAME, Profile, load_profile
from edge.errors import ConfigError
from edge.files import write_file

_PREFIX = "/opt/edge-assistant"
_UNIT = "edge-assistant.service"
_PACKAGES = ("espeak-ng", "libportaudio2", "libasound2-plugins", "python3-venv")
_WATCHDOG_S = 60
_LOCKED = Path(__file__).parents[1] / "data" / "requirements"
_REQUIREMENTS = "/usr/local/share/edge-assistant"
# Neither systemd's nor ALSA's syntax has a meaning for any of these.
_SOUND_CARD = re.compile(r"[A-Za-z0-9_.:,=() -]{1,200}")


def firmware(arguments: argparse.Namespace) -> int:
    """Write the files of a board into a folder."""
    profile = load_profile(arguments.profile)
    files = render(profile)
    folder = Path(arguments.out)
    for name, text in files.items():
        path = folder / name
        write_file(path, text)
        write_line(str(path))
    return 0


def render(profile: Profile) -> dict[str, str]:
    """Text of every file by its name: systemd unit, ALSA configuration, cloud-init's user data.

    Raises:
        ConfigError: a value of the profile would mean something else in these files.
    """
    for what, value in (("microphone", profile.audio.microphone), ("speaker", profile.audio.speaker)):
        if value is not None and not _SOUND_CARD.fullmatch(str(value)):
            raise ConfigError(f"profile: the {what} {value!r} must be letters, digits and any of _.:,=()- and spaces")
    if not NAME.fullmatch(profile.name):
        raise ConfigError(f"profile: the name {profile.name!r} must be letters, digits, dots and dashes")
    if not profile.board.title.isprintable() or "\\" in profile.board.title:
        raise ConfigError("profile: the board's title must be on one line and without backslashes")
    unit, sound = _unit(profile), _sound(profile)
    return {_UNIT: unit, "asound.conf": sound, "user-data": _cloud_init(profile, unit, sound)}


def _unit(profile: Profile) -> str:
    """The service: no privileges, no network but the home's, the board's memory and cores, restarted when it hangs."""
    cap = profile.board.memory_cap_mib
    memory = f"MemoryMax={cap}M\nMemoryHigh={cap * 95 // 100}M\nMemorySwapMax=0\n" if cap is not None else ""
    cores = f"AllowedCPUs=0-{profile.board.cores - 1}\n" if profile.board.cores else ""
    after = " network-online.target" if profile.home.connection is not None else ""
    network = _network(profile)
    return f"""[Unit]
Description=Offline voice assistant on {_percent(profile.board.title)}
Documentation=man:systemd.exec(5)
After=sound.target{after}
Wants=sound.target{after}
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
ExecStart={_PREFIX}/bin/edge run --profile {_percent(profile.name)}
WatchdogSec={_WATCHDOG_S}
Restart=always
RestartSec=5
Nice=-5
{memory}{cores}OOMPolicy=stop
TasksMax=64

DynamicUser=yes
SupplementaryGroups=audio
StateDirectory=edge-assistant
CacheDirectory=edge-assistant
WorkingDirectory=%S/edge-assistant
Environment=HOME=/var/lib/edge-assistant
Environment=XDG_DATA_HOME=/var/lib/edge-assistant
Environment=XDG_CACHE_HOME=/var/cache/edge-assistant
Environment=PYTHONUNBUFFERED=1
UMask=0077

CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
{network}DevicePolicy=closed
DeviceAllow=char-alsa rw
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @debug @mount
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def _network(profile: Profile) -> str:
    """No network at all, or that of a connected home and nothing else.

    Raises:
        ConfigError: a connected home has no addresses, or what is written is none.
    """
    home = profile.home
    if home.connection is None:
        return "PrivateNetwork=yes\nIPAddressDeny=any\nRestrictAddressFamilies=AF_UNIX\n"
    if not home.allow:
        raise ConfigError('profile: [home] needs the addresses of the connected home: allow = ["192.168.1.10"]')
    try:
        allowed = [ipaddress.ip_network(address) for address in home.allow]
    except ValueError as error:
        raise ConfigError(f"profile: [home] allow: {error}; write addresses or networks, no names") from error
    families = " ".join(sorted({"AF_INET6" if network.version == 6 else "AF_INET" for network in allowed}))
    lines = "".join(f"IPAddressAllow={network}\n" for network in allowed)
    return f"IPAddressDeny=any\n{lines}RestrictAddressFamilies=AF_UNIX {families}\n"


def _percent(text: str) -> str:
    """Text without specifiers of systemd."""
    return text.replace("%", "%%")


def _sound(profile: Profile) -> str:
    """ALSA's default device: microphone and speaker shared and resampled by ALSA (alsa-lib's asoundrc)."""
    capture, playback = (_card(name) for name in (profile.audio.microphone, profile.audio.speaker))
    return f"""# {profile.board.title}: the assistant records at 16 kHz, mono; plug converts to what the cards do.
pcm.!default {{
  type asym
  capture.pcm "edge_microphone"
  playback.pcm "edge_speaker"
}}
pcm.edge_microphone {{
  type plug
  slave.pcm {{
    type dsnoop
    ipc_key 16001
    slave.pcm "hw:{capture}"
  }}
}}
pcm.edge_speaker {{
  type plug
  slave.pcm {{
    type dmix
    ipc_key 16002
    slave.pcm "hw:{playback}"
  }}
}}
ctl.!default {{
  type hw
  card "{playback.split(",")[0]}"
}}
"""


def _card(device: str | int | None) -> str:
    return "0" if device is None else str(device).removeprefix("hw:")


def _cloud_init(profile: Profile, unit: str, sound: str) -> str:
    """First boot: packages, the assistant in its own environment, and the service; JSON, which YAML contains.

    What comes from a package index must have the hashes of ``data/requirements`` (made by ``.ci/lock``).
    """
    from edge.models.catalog import list_models

    parts = ["build", "speech"]
    parts += ["piper-gpl"] if profile.tts.engine != "espeak" else []
    parts += ["home"] if profile.home.connection is not None else []
    locked = {f"{_REQUIREMENTS}/{part}.txt": (_LOCKED / f"{part}.txt").read_text(encoding="utf-8") for part in parts}
    files = {f"/etc/systemd/system/{_UNIT}": unit, "/etc/asound.conf": sound, **locked}
    wanted = [name for name in (profile.asr.model, profile.tts.voice) if name in {m.name for m in list_models()}]
    pip = [f"{_PREFIX}/bin/pip", "install", "--no-cache-dir"]
    build, *chosen = locked
    data = {
        "hostname": re.sub(r"[^a-z0-9]+", "-", profile.name.lower()).strip("-"),
        "package_update": True,
        "packages": list(_PACKAGES),
        "write_files": [{"path": path, "content": text, "permissions": "0644"} for path, text in files.items()],
        "runcmd": [
            ["python3", "-m", "venv", _PREFIX],
            [*pip, "--require-hashes", "-r", build],
            [*pip, "--require-hashes", "--no-build-isolation", *(word for path in chosen for word in ("-r", path))],
            ["sh", "-c", " ".join([*pip, "--no-index", "--no-deps", "/boot/firmware/edge_assistant-*.whl"])],
            *(
                ["env", "XDG_DATA_HOME=/var/lib/edge-assistant", f"{_PREFIX}/bin/edge", "models", "install", name]
                for name in wanted
            ),
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", _UNIT],
        ],
    }
    return "#cloud-config\n" + json.dumps(data, indent=2, ensure_ascii=False) + "\n"

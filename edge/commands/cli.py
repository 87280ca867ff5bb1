"""The ``edge`` command: arguments, exit codes and nothing else; each subcommand imports what it needs when it runs."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

from edge.commands.guarded import fail, guarded
from edge.files import end_tidily

_EXAMPLES = """examples:
  edge parse "turn on the kitchen light"
  edge simulate --text "set a timer for five minutes" --out reply.wav
  edge simulate --mic
  edge simulate --wav command.wav --profile raspberry-pi-zero-2w
  edge check
"""

_BUNDLE_EXAMPLES = {"rollback": "home", "sign": "home.edge --key release.key", "keygen": "--out release"}
_UNSIGNED = "use a bundle although nobody trusted has signed it"


class _Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = f"edge {version('edge-assistant')}"
        except PackageNotFoundError:
            text = "edge (not installed, running from its source tree)"
        sys.stdout.write(text + "\n")
        parser.exit(0)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns 0 when done, 1 when a check failed, 2 for wrong use or a broken environment."""
    if not _standard_streams():
        return 2
    arguments = _arguments().parse_args(argv)
    end_tidily()
    if arguments.command != "parse":
        _log_to_stderr(arguments.verbose)
    return guarded(lambda: _run(arguments), arguments.verbose)


def _standard_streams() -> bool:
    """Make all three usable; False where standard output is closed.

    A closed one is opened on ``/dev/null``: otherwise the next file that is opened would take its number, and what is
    printed would land in it. A terminal that lacks a character shows a question mark.
    """
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if closed:
        fail("standard output is closed: give it a terminal, a file or a pipe")
    return not closed


def _log_to_stderr(verbose: bool) -> None:
    import logging

    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="edge: %(message)s", force=True)


_MODULES = {"say": "simulate", "run": "simulate"}
"""Modules of the commands that are not in a file of their own name."""


def _run(arguments: argparse.Namespace) -> int:
    name: str = arguments.command
    command: Callable[[argparse.Namespace], int] = getattr(
        import_module(f"edge.commands.{_MODULES.get(name, name)}"), name
    )
    return command(arguments)


def _arguments() -> argparse.ArgumentParser:
    root = _Parser(
        prog="edge",
        description="An offline voice assistant for small boards.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    root.add_argument("-v", "--verbose", action="store_true", help="log more to standard error")
    commands = root.add_subparsers(prog="edge", dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _simulate_arguments(commands)
    _parse_arguments(commands)
    _listen_arguments(commands)
    _speech_arguments(commands)
    _store_arguments(commands)
    return root


_Commands = argparse._SubParsersAction


def _command(commands: _Commands[_Parser], name: str, does: str, example: str = "") -> _Parser:
    parser: _Parser = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=f"example:\n  {example}" if example else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _simulate_arguments(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "simulate",
        "one turn from text or a recording, or live from the microphone, in a simulated home",
        'edge simulate --text "turn on the kitchen light"\n  edge simulate --wav in.wav --out reply.wav --json',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--text", action="append", metavar="TEXT", help="typed command (repeatable), or - for standard input"
    )
    source.add_argument("--wav", metavar="FILE", help="recording of a command")
    source.add_argument("--mic", action="store_true", help="live from the microphone")
    parser.add_argument("--out", metavar="FILE", help="write the spoken reply into this WAV file")
    parser.add_argument("--json", action="store_true", help="one JSON object per turn on standard output")
    parser.add_argument("--profile", metavar="NAME", help="board whose memory, cores and engines are used")
    _understanding(parser)
    _place(parser)
    _engines(parser)


def _parse_arguments(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "parse",
        "understand text: one JSON object a line",
        'edge parse "turn on the kitchen light"\n  edge parse --lang de - < sentences.txt',
    )
    parser.add_argument("text", metavar="TEXT", help="a command, or - for standard input, a command a line")
    parser.add_argument("--json", action="store_true", help="JSON, which is the only form")
    _understanding(parser)


def _listen_arguments(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands, "listen", "understand recordings: one JSON object a file", "edge listen --json a.wav b.wav"
    )
    parser.add_argument("files", nargs="+", metavar="FILE.wav", help="recording of one command")
    parser.add_argument("--json", action="store_true", help="JSON, which is the only form")
    parser.add_argument("--profile", metavar="NAME", help="board whose engines are used")
    _understanding(parser)
    _engines(parser)


def _speech_arguments(commands: _Commands[_Parser]) -> None:
    parser = _command(commands, "say", "speak into a WAV file", 'edge say "Dinner is ready" --out dinner.wav')
    parser.add_argument("text", metavar="TEXT")
    parser.add_argument("--out", metavar="FILE", required=True)
    parser.add_argument("--lang", metavar="xx", default="en", help="language of the text (default: en)")
    parser.add_argument("--profile", metavar="NAME", help="board whose voice is used")
    parser.add_argument("--tts", choices=("auto", "piper", "espeak"), help="voice engine instead of the profile's")

    parser = _command(commands, "run", "the assistant on a device, until it is stopped", "edge run --profile desktop")
    parser.add_argument("--profile", metavar="NAME", required=True)
    parser.add_argument("--json", action="store_true", help="one JSON object per turn, with what was said, on stdout")
    parser.add_argument("--transcripts", action="store_true", help="print what was said too (default: intents only)")
    _understanding(parser)
    _place(parser)

    parser = _command(commands, "check", "say what is installed, what is missing, and how to fix it", "edge check")
    parser.add_argument("--profile", metavar="NAME", default="desktop")
    parser.add_argument("--json", action="store_true")

    parser = _command(commands, "demo", "speak commands, hear them with noise, act and answer", "edge demo")
    parser.add_argument("--out", metavar="FOLDER", default="demo-output", help="where the WAV files go")
    parser.add_argument("--snr", type=float, default=40.0, metavar="dB", help="speech above noise (default: 40)")


def _store_arguments(commands: _Commands[_Parser]) -> None:
    _bundle_arguments(commands)

    _home_arguments(commands)

    example = "edge firmware render --profile raspberry-pi-5-4gb --out image"
    firmware = _command(commands, "firmware", "files of a board's image", example)
    actions = firmware.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    action = _command(actions, "render", "write the systemd unit, asound.conf and cloud-init data", example)
    action.add_argument("--profile", metavar="NAME", required=True)
    action.add_argument("--out", metavar="FOLDER", required=True)

    models = _command(commands, "models", "speech models and voices", "edge models install vosk-small-de")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    action = _command(actions, "list", "models that can be installed, and those that are", "edge models list")
    action.add_argument("--json", action="store_true")
    for name, does in (("install", "download, verify and unpack a model"), ("remove", "remove an installed model")):
        _command(actions, name, does, f"edge models {name} NAME").add_argument("model", metavar="NAME")


def _home_arguments(commands: _Commands[_Parser]) -> None:
    home = _command(commands, "home", "connect a real home", "edge home connect http://homeassistant.local:8123")
    actions = home.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    example = "edge home connect http://192.168.1.10:8123 --user anna\n  edge home connect mqtt://192.168.1.10:1883"
    action = _command(actions, "connect", "let the assistant into Home Assistant or a broker", example)
    action.add_argument("url", metavar="URL", help="http(s)://HOST:8123 or mqtt(s)://HOST:1883")
    action.add_argument("--name", metavar="NAME", help="what --home calls it (default: home-assistant or mqtt)")
    action.add_argument("--user", metavar="USER", help="log in with a password instead of a token")
    action.add_argument("--base-topic", metavar="TOPIC", default="zigbee2mqtt", help="zigbee2mqtt's base topic")
    action.add_argument("--certificate", metavar="FILE", help="your own authority, for https and mqtts")
    action.add_argument("--rooms", metavar="FILE", help="home file that names and places a broker's devices")
    action = _command(actions, "show", "what the assistant may control", "edge home show home-assistant")
    action.add_argument("name", metavar="NAME", nargs="?", help="connection (default: all)")
    action.add_argument("--json", action="store_true", help="JSON on standard output")
    action = _command(actions, "forget", "remove a connection and its secrets", "edge home forget home-assistant")
    action.add_argument("name", metavar="NAME")


def _bundle_arguments(commands: _Commands[_Parser]) -> None:
    bundle = _command(commands, "bundle", "inspect, sign and install bundles", "edge bundle info home")
    actions = bundle.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    for name, does in (
        ("info", "what a bundle contains, who signed it, which versions are installed"),
        ("verify", "check hashes and signature, and try the bundle out in a process of its own"),
        ("install", "verify a bundle and use it; the version before is kept"),
        ("rollback", "use the version before again"),
        ("sign", "sign a bundle with this machine's key or another one"),
        ("keygen", "make a key pair that signs bundles"),
    ):
        action = _command(actions, name, does, f"edge bundle {name} {_BUNDLE_EXAMPLES.get(name, 'home.edge')}")
        action.add_argument("--json", action="store_true")
        if name == "keygen":
            action.add_argument("--out", metavar="NAME", help="write NAME.key and NAME.pub (default: this machine's)")
            continue
        metavar = "NAME" if name == "rollback" else "BUNDLE"
        action.add_argument("bundle", metavar=metavar, help="name, folder or .edge file")
        if name in ("verify", "install"):
            action.add_argument("--allow-unsigned", action="store_true", help=_UNSIGNED)
        if name == "install":
            action.add_argument("--allow-downgrade", action="store_true", help="install an older version too")
        if name == "sign":
            action.add_argument("--key", metavar="FILE", help="secret key (default: this machine's)")


def _understanding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", metavar="B", help="bundle: a name (home), a folder or an .edge file")
    parser.add_argument("--allow-unsigned", action="store_true", help=_UNSIGNED)
    parser.add_argument("--lang", metavar="xx", help="language of the command (default: found from the words)")
    parser.add_argument("--home", metavar="HOME", help="connected home by name, or home file (default: the demo home)")


def _place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--area", metavar="NAME", help="area in which the assistant stands")
    parser.add_argument("--store", metavar="FILE", help="file that keeps timers, lists and states across restarts")


def _engines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--asr", choices=("auto", "moonshine", "vosk"), help="recognizer instead of the profile's")
    parser.add_argument("--asr-model", metavar="DIR", help="folder of the recognizer's model")
    if parser.prog.endswith("simulate"):
        parser.add_argument("--tts", choices=("auto", "piper", "espeak", "none"), help="voice instead of the profile's")

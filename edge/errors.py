"""Every error that the device runtime raises on purpose."""

from __future__ import annotations


class EdgeError(Exception):
    """Something a person can fix; the message is one line that says how."""


class ConfigError(EdgeError):
    """A profile, home file, recipe or command line that cannot be used."""


class BundleError(EdgeError):
    """A bundle that is missing, damaged, or of another format version."""


class DeviceError(EdgeError):
    """A sound card or microphone that is missing or was lost."""


class EngineError(EdgeError):
    """A speech or language engine that is missing or failed."""


class HomeError(EdgeError):
    """A home that cannot be reached, does not let the assistant in, or answers with an error."""

"""Errors of the build that need none of its libraries."""

from __future__ import annotations

from edge.errors import EdgeError


class BuildError(EdgeError):
    """A finished build that is not good enough to ship."""

"""Time zones by name."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name, None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None

"""Colours by name, as Home Assistant's ``color_name`` has them: the CSS colours that people say."""

from __future__ import annotations

_COLORS = {
    "aqua": 0x00FFFF,
    "beige": 0xF5F5DC,
    "black": 0x000000,
    "blue": 0x0000FF,
    "brown": 0xA52A2A,
    "chocolate": 0xD2691E,
    "coral": 0xFF7F50,
    "crimson": 0xDC143C,
    "cyan": 0x00FFFF,
    "fuchsia": 0xFF00FF,
    "gold": 0xFFD700,
    "gray": 0x808080,
    "green": 0x008000,
    "indigo": 0x4B0082,
    "ivory": 0xFFFFF0,
    "khaki": 0xF0E68C,
    "lavender": 0xE6E6FA,
    "lime": 0x00FF00,
    "magenta": 0xFF00FF,
    "maroon": 0x800000,
    "navy": 0x000080,
    "olive": 0x808000,
    "orange": 0xFFA500,
    "orchid": 0xDA70D6,
    "pink": 0xFFC0CB,
    "plum": 0xDDA0DD,
    "purple": 0x800080,
    "red": 0xFF0000,
    "salmon": 0xFA8072,
    "silver": 0xC0C0C0,
    "tan": 0xD2B48C,
    "teal": 0x008080,
    "tomato": 0xFF6347,
    "turquoise": 0x40E0D0,
    "violet": 0xEE82EE,
    "white": 0xFFFFFF,
    "yellow": 0xFFFF00,
}


def rgb_of(name: str) -> tuple[int, int, int] | None:
    """Red, green and blue of 0 to 255; None where no colour has the name."""
    color = _COLORS.get(name.casefold().replace(" ", ""))
    return None if color is None else (color >> 16, color >> 8 & 0xFF, color & 0xFF)


def color_name(rgb: object) -> str | None:
    """Name of the nearest colour; None if ``rgb`` is not a colour."""
    if not isinstance(rgb, (list, tuple)) or len(rgb) != 3:
        return None
    wanted = [float(part) for part in rgb]

    def distance(name: str) -> float:
        color = rgb_of(name)
        return sum((a - b) ** 2 for a, b in zip(wanted, color, strict=True)) if color else float("inf")

    return min(_COLORS, key=distance)

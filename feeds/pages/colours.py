"""Shades of a site's colour that are readable (WCAG 2.2, 1.4.3)."""

# The backgrounds of text in style.css; of several, the one with the least contrast.
LIGHT_BACKGROUND = "#f3f1ec"
DARK_BACKGROUND = "#20252a"
# Level AA requires 4.5. The margin allows for rounding.
_MIN_CONTRAST = 5.5
_STEPS = 100


def readable(colour: str, background: str) -> str:
    """Return the shade nearest to a `#rrggbb` that is readable on a background."""
    goal = 0.0 if luminance(background) > luminance("#777777") else 255.0
    channels = _channels(colour)
    for step in range(_STEPS):
        mixed = [round(part + (goal - part) * step / _STEPS) for part in channels]
        shade = "#" + "".join(f"{part:02x}" for part in mixed)
        if contrast(shade, background) >= _MIN_CONTRAST:
            return shade
    return "#000000" if goal == 0 else "#ffffff"


def contrast(colour: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a `#rrggbb`, from 0 to 1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]

"""A publication's colour → shades of it that people can read (WCAG 2.2, 1.4.3)."""

# What text stands on: the grounds of style.css, and the fainter of them at that.
PAPER = "#f3f1ec"
NIGHT = "#20252a"
# AA asks for 4.5; a little more reads better, and rounding must not cost it.
_ENOUGH = 5.5
_STEPS = 100


def readable(colour: str, ground: str) -> str:
    """Return the shade nearest to a `#rrggbb` that can be read on a ground: lighter, or darker."""
    goal = 0.0 if luminance(ground) > luminance("#777777") else 255.0
    channels = _channels(colour)
    for step in range(_STEPS):
        mixed = [round(part + (goal - part) * step / _STEPS) for part in channels]
        shade = "#" + "".join(f"{part:02x}" for part in mixed)
        if contrast(shade, ground) >= _ENOUGH:
            return shade
    return "#000000" if goal == 0 else "#ffffff"


def contrast(colour: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a `#rrggbb`, from 0 to 1 (as WCAG 2.2 defines it)."""
    red, green, blue = (_linear(part / 255) for part in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]

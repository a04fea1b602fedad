"""Numbers in words that a person reads: percentages, intervals, differences, durations, sizes."""

from collections.abc import Iterable

THIN = "\u202f"
"""Narrow no-break space: between a number and its unit, and between thousands."""
MINUS = "\u2212"


def percent(share: float | None, digits: int = 1) -> str:
    """`61.2 %` of a share from 0 to 1; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f}{THIN}%"


def percent_range(low: float | None, high: float | None, digits: int = 1) -> str:
    """`57.0 – 65.3` in per cent, without the sign."""
    if low is None or high is None:
        return "–"
    return f"{100 * low:.{digits}f}{THIN}–{THIN}{100 * high:.{digits}f}"


def points(difference: float, digits: int = 1) -> str:
    """`+18.1`: a difference of two shares in percentage points, always with its sign (a true minus)."""
    shown = f"{100 * difference:+.{digits}f}"
    if float(shown) == 0:
        return f"{0:.{digits}f}"
    return shown.replace("-", MINUS)


def points_range(low: float, high: float) -> str:
    """`+14.2 to +22.0`: the ends of an interval of a difference, in percentage points."""
    return f"{points(low)} to {points(high)}"


def p_value(value: float | None) -> str:
    """`0.032`, or `< 0.001` where three digits would say nothing."""
    if value is None:
        return "–"
    return f"<{THIN}0.001" if value < 0.001 else f"{value:.3f}"


def count(number: int | float) -> str:
    """`8,000` with a comma between thousands."""
    return f"{number:,.0f}"


def short_count(number: float) -> str:
    """`1.4 M`, `8.0 B`: a large number to one digit after the point."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{THIN}{unit}"
    return count(number)


def decimal(number: float | None, digits: int = 3) -> str:
    """A number with a fixed count of digits; a dash where there is none."""
    return "–" if number is None else f"{number:.{digits}f}".replace("-", MINUS)


def rate(number: float) -> str:
    """A learning rate as people write it: `4e-3`, `5e-5`."""
    if number == 0:
        return "0"
    mantissa, exponent = f"{number:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}".replace("-", MINUS)


def seconds(duration: float) -> str:
    """`0.4 s`, `41 s`, `3 min 20 s`, `2 h 05 min`."""
    if duration < 9.95:
        return f"{duration:.1f}{THIN}s"
    whole = round(duration)
    if whole < 60:
        return f"{whole}{THIN}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{THIN}min {rest:02d}{THIN}s"
    hours, minutes = divmod(round(duration / 60), 60)
    return f"{hours}{THIN}h {minutes:02d}{THIN}min"


def megabytes(amount: float) -> str:
    """`312 MB` or `1.9 GB` of an amount in megabytes."""
    return f"{amount:,.0f}{THIN}MB" if amount < 1000 else f"{amount / 1000:.1f}{THIN}GB"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 problem`, `432 problems`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""

"""How numbers stand in the Markdown tables of the benchmarks."""


def shown(number):
    """A mean with its interval; nothing where there is none."""
    if number is None:
        return ""
    if number["low"] == number["high"]:
        return f"{number['mean']:.4f}"
    return f"{number['mean']:.4f} [{number['low']:.4f}, {number['high']:.4f}]"


def signed(number):
    """A paired difference with its interval; nothing where there is none."""
    if number is None:
        return ""
    return f"{number['mean']:+.4f} [{number['low']:+.4f}, {number['high']:+.4f}]"

"""Telling how far work is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total)."""

Steps = Callable[[int, int], None]
"""Told (done, total) of one stage."""


def steps_of(progress: Progress | None, stage: str) -> Steps | None:
    """Who is told of one stage's steps; nobody where nobody listens."""
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)

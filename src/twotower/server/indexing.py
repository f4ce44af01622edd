"""How far this process is with product changes that are stored: the tasks of `/v1/tasks`.

A task is named by the numbers of its changes in the feed of products, so nothing is kept of it:
every process can tell how far it is itself, and a restart forgets none.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from twotower.server.problems import ProblemError

Wait = Literal["indexed", "stored"]
"""Whether an answer waits until searches know of a change, or only until it is on disk."""
_FORM: Final = re.compile(r"products-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")


@dataclass(frozen=True)
class IndexingTask:
    """Stored changes that searches are to know of.

    Attributes:
        first: Number of the first one in the feed of products.
        last: Of the last one.
    """

    first: int
    last: int

    @classmethod
    def named(cls, task_id: str) -> "IndexingTask":
        """Reads a task's id; raises `ProblemError` for one that names none."""
        read = _FORM.fullmatch(task_id)
        if read is None or int(read[1]) > int(read[2]):
            raise unknown_task(task_id)
        return cls(int(read[1]), int(read[2]))

    @property
    def task_id(self) -> str:
        """Names it."""
        return f"products-{self.first}-{self.last}"

    def progress(self, cursor: int) -> float:
        """How much of it is done, 0 to 1, when the changes up to `cursor` are."""
        done = min(max(cursor - self.first + 1, 0), self.last - self.first + 1)
        return done / (self.last - self.first + 1)


def unknown_task(task_id: str) -> ProblemError:
    """The problem that there is no such task."""
    return ProblemError(
        "unknown-task",
        f"there is no task {task_id!r}; the answer to a change with wait=stored names one",
    )

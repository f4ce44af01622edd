"""Logs for machines: one JSON object on a line, without anything that a person typed."""

import logging
from datetime import UTC, datetime
from typing import Any, Final

import orjson

FIELDS: Final = ("request_id", "method", "route", "status", "ms")
"""What a line may have beside time, level, logger and message."""


class JsonLines(logging.Formatter):
    """Formats a record as a line of JSON; a traceback is one of its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Makes the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def write_json_lines() -> None:
    """Sends what twotower and its server log to standard error, from level info on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)

"""What the server logs: every request for machines, and nothing of what people asked."""

import json
import logging
import subprocess
import sys

from twotower.server.logs import JsonLines


def test_a_request_is_one_line_of_json_without_what_was_asked(client, caplog):
    caplog.set_level(logging.INFO, logger="twotower")
    answer = client.post("/v1/search", {"query": "steel kettle", "visitor_id": "ann@example.org"})
    client.get("/v1/visitors/bob@example.org")
    [first, second] = [one for one in caplog.records if one.message == "answered"]
    line = json.loads(JsonLines().format(first))
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/search", 200)
    assert line["ms"] > 0
    told = JsonLines().format(first) + JsonLines().format(second)
    for asked in ("steel", "ann", "bob"):
        assert asked not in told


def test_a_failure_is_one_line_too_and_logs_go_to_standard_error():
    program = """
import logging
from twotower.server.logs import write_json_lines
write_json_lines()
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("twotower.server").exception("request %s failed", "r1")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    [line] = [json.loads(one) for one in ran.stderr.splitlines()]
    assert (line["level"], line["message"]) == ("error", "request r1 failed")
    assert "ZeroDivisionError" in line["traceback"]
    assert ran.stdout == ""

"""The Grafana dashboard asks for what the server counts."""

import json
import re
from pathlib import Path

DASHBOARD = Path(__file__).parents[3] / "docs" / "operations" / "grafana.json"


def test_every_metric_of_the_dashboard_is_counted_and_every_counted_one_is_shown(client):
    board = json.loads(DASHBOARD.read_text("utf-8"))
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    families = re.findall(r"^# TYPE (\S+) (\S+)", client.get("/metrics").text, re.MULTILINE)
    suffixes = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    counted = {
        name + suffix: name
        for name, kind in families
        if not name.endswith("_created")
        for suffix in suffixes[kind]
    }
    shown = set(re.findall(r"twotower_\w+", asked))
    assert shown <= set(counted)
    assert {counted[one] for one in shown} == set(counted.values())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])

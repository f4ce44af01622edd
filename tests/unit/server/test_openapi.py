import json
import subprocess
import sys
from pathlib import Path

from twotower.server.openapi import openapi_document

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def test_the_reference_document_is_current():
    assert json.loads(REFERENCE.read_text()) == openapi_document(), (
        "docs/reference/openapi.json is older than the routes; write it again with `make openapi`"
    )


def test_the_server_shows_the_same_document(client):
    assert client.get("/openapi.json").json() == openapi_document()


def test_every_route_documents_its_problems_and_has_a_name_of_its_own():
    names = []
    for operations in openapi_document()["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]
            names.append(operation["operationId"])
    assert len(names) == len(set(names))


def test_importing_the_server_loads_no_torch_and_makes_no_app():
    program = (
        "import sys, twotower.server.app, twotower.server.openapi; "
        "assert 'torch' not in sys.modules; "
        "assert not any(isinstance(one, __import__('fastapi').FastAPI) "
        "for module in list(sys.modules.values()) if module.__name__.startswith('twotower') "
        "for one in vars(module).values())"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

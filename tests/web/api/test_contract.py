"""The API under requests nobody thought of, made from its own description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.app import create_app


def test_no_request_that_fits_the_description_breaks_the_server(tmp_path: Path) -> None:
    application = create_app(Settings(data=tmp_path, device="cpu", hosts=("*",)))
    with TestClient(application, base_url="http://localhost"):
        schema = schemathesis.openapi.from_asgi("/openapi.json", application)
        tried = 0
        # Streams that make something for seconds have tests of their own.
        quick = schema.include(method="GET", path_regex="^/(api|healthz)").exclude(
            path_regex="/events$"
        )
        for result in quick.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]

            @settings(
                max_examples=12,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def fits(case: Case[Any]) -> None:
                case.call_and_validate(checks=[not_a_server_error])

            fits()
            tried += 1
        assert tried >= 15

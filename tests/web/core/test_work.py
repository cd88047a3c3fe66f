"""Whoever leaves stops what was computed for them, between two layers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from app.services.runs.run import Run
from app.vision.interruption import Interrupted
from app.web.api import derived_maps
from tests.support.real_server import request, serving
from tests.support.waiting import HANG, wait_until

PROJECTION = "/api/v1/runs/mini/cat/steps/conv3/projection.png?method=guided&channel={}"


def test_closing_the_connection_stops_a_projection_and_drops_those_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), []

    def endless(run: Run, *rest: Any) -> torch.Tensor:
        begun.set()
        try:
            while True:
                run.network(torch.zeros(1, 3, 64, 64))
        except Interrupted:
            ended.append("interrupted")
            raise

    monkeypatch.setattr(derived_maps, "project", endless)
    with serving(tmp_path) as (port, app):
        cookie = "Cookie: layerscope_owner=" + "a" * 30 + "\r\n"
        clients = [request(port, PROJECTION.format(n), cookie) for n in range(20)]
        assert begun.wait(HANG)
        for client in clients:
            client.close()
        wait_until(lambda: app.state.services.side_work.idle)
        # Only those that had begun were there to be interrupted; the others never began.
        assert 1 <= len(ended) <= 2
        monkeypatch.undo()
        with request(port, PROJECTION.format(0)) as client:
            assert b"200 OK" in client.recv(1000)

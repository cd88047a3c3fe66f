"""When the data folder fails: people get a sentence, and the server goes on."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.datastructures import UploadFile
from starlette.testclient import TestClient

from app.errors import DataUnusable
from app.services.pictures import picture_files
from app.settings import Settings
from app.web.app import create_app
from tests.support.addresses import BASE
from tests.support.picture_files import png

IMAGES = "/api/v1/images"


def send(client: TestClient, shade: int = 0) -> tuple[int, str]:
    answer = client.post(IMAGES, files={"file": ("a.png", png(shade))})
    assert answer.headers["content-type"].startswith("application/")
    return answer.status_code, answer.text


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_upload_onto_a_full_disk_has_words_for_programs_and_for_people(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(picture_files, "write", no_room)
        status, text = send(client)
        assert status == 507 and "The server's disk is full, so this picture" in text
        page = client.post(
            "/images", files={"file": ("a.png", png())}, headers={"accept": "text/html"}
        )
        assert page.status_code == 507 and "disk is full" in page.text
        attack = {"model": "mini", "image": "cat", "method": "fgsm"}
        answer = client.post("/api/v1/attacks", json=attack)
        assert answer.status_code == 507 and "disk is full" in answer.json()["detail"]
    assert send(client)[0] == 201


def test_a_large_upload_for_which_there_is_no_temporary_room_has_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(self: UploadFile, data: bytes) -> None:
        no_room()

    with monkeypatch.context() as patch:
        patch.setattr(UploadFile, "write", write)
        status, text = send(client)
    assert status == 507 and "disk is full, so what you sent could not be kept" in text


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no folder that is in use")
def test_the_data_folder_may_vanish_while_the_server_runs(
    client: TestClient, tmp_path: Path
) -> None:
    status, text = send(client, 1)
    assert status == 201
    shutil.rmtree(tmp_path)
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/runs/mini/cat").status_code == 200
    status, text = send(client, 2)
    assert status == 201, text
    id = client.post(IMAGES, files={"file": ("a.png", png(2))}).json()["id"]
    assert client.get(f"/?image={id}").status_code == 200


def test_an_index_that_is_locked_asks_to_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.pictures.index.PATIENCE", 0)
    app = create_app(Settings(data=tmp_path, device="cpu"))
    with (
        TestClient(app, base_url=BASE) as client,
        closing(sqlite3.connect(tmp_path / "pictures.sqlite", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        answer = client.post(IMAGES, files={"file": ("a.png", png())})
        other.execute("ROLLBACK")
        assert send(client)[0] == 201
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert "list of pictures" in answer.json()["detail"]


def test_an_app_does_not_start_on_a_folder_that_another_process_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(file: int) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("app.services.data_folder.lock", taken)
    app = create_app(Settings(data=tmp_path, device="cpu"))
    with pytest.raises(DataUnusable, match="Another Layerscope"), TestClient(app, base_url=BASE):
        pass
    assert not (tmp_path / "pictures").exists()

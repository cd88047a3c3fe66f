"""Uploads: what is taken, what is refused and how, whose they are."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from starlette.testclient import TestClient

API = "/api/v1"


def picture(size: tuple[int, int] = (90, 64), kind: str = "PNG", shade: int = 0) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").point(lambda v: (v + shade) % 256).save(
        data, kind
    )
    return data.getvalue()


def send(client: TestClient, data: bytes, name: str = "a.png") -> tuple[int, dict[str, object]]:
    answer = client.post(f"{API}/images", files={"file": (name, data)})
    return answer.status_code, answer.json()


def bomb() -> bytes:
    """A PNG that says it has 40000x40000 pixels."""
    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_picture_becomes_an_id_and_the_same_picture_the_same(client: TestClient) -> None:
    status, body = send(client, picture())
    assert status == 201
    assert (body["width"], body["height"]) == (90, 64)
    assert send(client, picture(), "other name.png")[1]["id"] == body["id"]
    run = client.get(f"{API}/runs/mini/{body['id']}").raise_for_status().json()
    assert len(run["predictions"]) == 5
    shown = client.get(f"{API}/images/{body['id']}.png").raise_for_status().content
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (90, 64)
        assert not image.info


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "empty"),
        (b"Dear diary, today I renamed a file.", 415, "text"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), 415, "program"),
        (b"MZ\x90\x00" + bytes(200), 415, "program"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "SVG"),
        (b"<!doctype html><title>x</title>", 415, "web page"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), 422, "HEIC"),
        (picture(kind="JPEG")[:-300], 422, ""),
        (picture()[: len(picture()) // 2], 422, ""),
        (bomb(), 413, "40,000"),
        (bytes(60_000_000), 413, "limit is 3 MB"),
        (b"\x89PNG" + bytes(3_050_000), 413, "limit is 3 MB"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence_and_the_server_goes_on(
    client: TestClient, data: bytes, status: int, words: str
) -> None:
    found, body = send(client, data)
    assert found in (status, 415 if not data else status)
    assert words.lower().replace(",", "") in str(body["detail"]).lower().replace(",", "").replace(
        " ", " "
    )
    assert body["title"]
    assert send(client, picture())[0] == 201


def test_the_suffix_plays_no_role(client: TestClient) -> None:
    assert send(client, picture(kind="WEBP"), "photo.exe")[0] == 201


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000), (64, 64)])
def test_odd_shapes_go_through_the_network(client: TestClient, size: tuple[int, int]) -> None:
    status, body = send(client, picture(size))
    assert status == 201
    run = client.get(f"{API}/runs/mini/{body['id']}").raise_for_status().json()
    assert run["preprocess"]["photo"] == list(size)
    assert run["preprocess"]["untouched"] is (size == (64, 64))
    assert client.get(f"/?image={body['id']}").status_code == 200


def test_a_form_without_a_file_is_told_so(client: TestClient) -> None:
    answer = client.post(f"{API}/images", data={"x": "y"})
    assert answer.status_code == 422
    assert "choose a picture first" in answer.json()["detail"]


def test_a_file_name_is_escaped_and_never_a_path(client: TestClient) -> None:
    name = "../../<img src=x onerror=alert(1)>.png"
    _, body = send(client, picture(shade=9), name)
    page = client.get(f"/?image={body['id']}").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_two_browsers_do_not_see_each_others_pictures(
    client: TestClient, other: TestClient
) -> None:
    client.get("/")
    other.get("/")
    _, body = send(client, picture(shade=3), "holiday.png")
    assert "holiday.png" in client.get("/").text
    assert "holiday.png" not in other.get("/").text
    # A link that was given away opens, but does not give the power to delete.
    assert other.get(f"/?image={body['id']}").status_code == 200
    assert "holiday.png" not in other.get(f"/?image={body['id']}").text
    assert other.delete(f"{API}/images/{body['id']}.png").status_code == 403


def test_a_deleted_picture_takes_everything_along(client: TestClient) -> None:
    client.get("/")
    _, body = send(client, picture(shade=5))
    addresses = [
        f"{API}/images/{body['id']}.png",
        f"{API}/images/{body['id']}/preview.jpg",
        f"{API}/runs/mini/{body['id']}",
        f"{API}/runs/mini/{body['id']}/steps/conv1.png",
        f"/runs/mini/{body['id']}/events",
    ]
    assert [client.get(one).status_code for one in addresses] == [200] * 5
    assert client.delete(f"{API}/images/{body['id']}.png").status_code == 204
    assert [client.get(one).status_code for one in addresses] == [404] * 5
    assert client.delete(f"{API}/images/{body['id']}.png").status_code == 404
    assert client.delete(f"{API}/images/coffee.png").status_code == 403


def test_a_form_works_with_and_without_script(client: TestClient) -> None:
    client.get("/")
    plain = client.post("/images", files={"file": ("a.png", picture(shade=7))})
    assert plain.status_code == 303
    assert client.get(plain.headers["location"]).status_code == 200
    headers = {"HX-Request": "true", "Accept": "text/html"}
    swapped = client.post("/images", files={"file": ("a.png", picture(shade=8))}, headers=headers)
    assert swapped.status_code == 200
    assert "hx-partial" in swapped.text
    assert "image=" in swapped.headers["hx-push-url"]
    refused = client.post("/images", files={"file": ("a.png", b"no")}, headers=headers)
    assert (refused.status_code, refused.headers["hx-retarget"]) == (415, "#notice")
    assert "<html" not in refused.text


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "undefined", "utf-16", "a\x00b"])
def test_a_form_in_a_strange_encoding_is_refused_in_words(client: TestClient, charset: str) -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="+2AA-\\ud800.png"'
    body = f"--x\r\n{head}\r\n\r\n".encode() + picture() + b"\r\n--x--\r\n"
    kind = f'multipart/form-data; boundary=x; charset="{charset}"'
    answer = client.post(f"{API}/images", content=body, headers={"content-type": kind})
    assert answer.status_code == 422 and "UTF-8" in answer.json()["detail"]
    # Browsers name no encoding, and a program may say UTF-8.
    kind = "multipart/form-data; charset=UTF-8; boundary=x"
    answer = client.post(f"{API}/images", content=body, headers={"content-type": kind})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", ["a\x00b.png", "\ufffd\U0001f600.png", "x" * 500, '"; drop'])
def test_any_name_of_a_file_can_be_kept_and_shown(client: TestClient, name: str) -> None:
    status, body = send(client, picture(), name)
    assert status == 201, body
    assert client.get(f"/?image={body['id']}").status_code == 200

"""The contract of `/api/v1`: what it answers, and that its numbers are the network's."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from starlette.testclient import TestClient

from app.pictures.samples import sample
from app.services.runs.sheets import version
from models.weights import TABLE
from tests.support.networks import ENTRY, embedded

API = "/api/v1"
RUN = f"{API}/runs/mini/coffee"


def array(client: TestClient, address: str) -> np.ndarray:
    """A .npy answer, checked to be version 1, little-endian float32, C order."""
    data = client.get(address).raise_for_status().content
    assert data[:8] == b"\x93NUMPY\x01\x00"
    values: np.ndarray = np.load(io.BytesIO(data))
    assert values.dtype == np.dtype("<f4")
    assert values.flags.c_contiguous
    return values


def test_health(client: TestClient) -> None:
    body = client.get("/healthz").raise_for_status().json()
    assert set(body) == {"status", "version", "device", "default_model"}
    assert (body["status"], body["default_model"]) == ("ok", "mini")


def test_models_say_what_they_are_made_of(client: TestClient) -> None:
    mini, *others = client.get(f"{API}/models").raise_for_status().json()
    assert [one["id"] for one in others] == [row.id for row in TABLE[1:]]
    assert {str(one["weights"]) for one in others} == {
        str({"state": "downloadable", "verified": False})
    }
    assert (mini["id"], mini["input_size"], mini["classes"]) == ("mini", 64, 100)
    assert (mini["parameters"], mini["default"]) == (3_407_588, True)
    assert mini["weights"] == {"state": "embedded", "verified": True}
    conv1, relu1, pool1 = mini["steps"][:3]
    assert conv1 == {
        "name": "conv1", "kind": "conv", "inputs": ["input"], "stage": 1, "shape": [64, 32, 32],
        "kernel": [7, 7], "stride": [2, 2], "padding": [3, 3], "receptive_field": 7,
    }  # fmt: skip
    assert relu1["kernel"] is None
    assert (pool1["shape"], pool1["receptive_field"]) == ([64, 16, 16], 11)
    assert mini["steps"][-1]["stage"] is None


def test_labels_are_short_and_in_full(client: TestClient) -> None:
    labels = client.get(f"{API}/models/mini/labels").raise_for_status().json()
    assert len(labels) == 100
    assert labels[19] == {
        "index": 19, "wnid": "n02123045", "label": "tabby cat", "synset": "tabby, tabby cat",
    }  # fmt: skip


def test_a_sample_is_an_image(client: TestClient) -> None:
    samples = client.get(f"{API}/samples").raise_for_status().json()
    assert samples[0]["id"] == "coffee"
    assert len(samples) >= 11
    for one in samples:
        assert one["credit"]
        assert one["licence"]
        png = client.get(f"{API}/images/{one['id']}.png").raise_for_status().content
        with Image.open(io.BytesIO(png)) as image:
            assert image.mode == "RGB"
            assert not image.info


def test_the_input_is_the_photo_resized_and_cropped(client: TestClient) -> None:
    found = array(client, f"{RUN}/input.npy")
    built_in = sample("coffee")
    assert built_in is not None
    photo = built_in.open()
    width, height = photo.size
    resized = photo.resize((int(64 * width / height), 64), Image.Resampling.BILINEAR)
    left = round((resized.width - 64) / 2)
    expected = np.asarray(resized.crop((left, 0, left + 64, 64))).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with Image.open(io.BytesIO(client.get(f"{RUN}/input.png").content)) as image:
        np.testing.assert_array_equal(np.asarray(image).transpose(2, 0, 1), (found * 255).round())


def test_every_output_is_what_the_network_computes(client: TestClient) -> None:
    network = embedded()
    run = client.get(RUN).json()
    mean, std = (torch.tensor(run["preprocess"][k]).view(3, 1, 1) for k in ("mean", "std"))
    x = ((torch.from_numpy(array(client, f"{RUN}/input.npy")) - mean) / std)[None]
    for step in network.steps:
        with torch.no_grad():
            x = network.module(step.name)(x)
        found = array(client, f"{RUN}/steps/{step.name}.npy")
        assert list(found.shape) == list(x.shape[1:])
        np.testing.assert_allclose(found, x[0].numpy(), rtol=1e-4, atol=1e-5)


def test_a_run_tells_predictions_and_figures(client: TestClient) -> None:
    run: dict[str, Any] = client.get(RUN, params={"top": 3}).raise_for_status().json()
    assert [len(run["predictions"]), len(run["steps"])] == [3, 18]
    best = run["predictions"][0]
    assert best["label"] == "espresso"
    assert best["probability"] >= 0.9
    logits = array(client, f"{RUN}/steps/fc7.npy")
    assert best["logit"] == pytest.approx(float(logits[best["index"]]))
    shares = F.softmax(torch.from_numpy(logits), 0)
    assert best["probability"] == pytest.approx(shares[best["index"]].item(), rel=1e-5)
    for figures in run["steps"]:
        values = array(client, f"{RUN}/steps/{figures['name']}.npy")
        assert figures["shape"] == list(values.shape)
        assert figures["min"] == pytest.approx(float(values.min()), rel=1e-5)
        assert figures["max"] == pytest.approx(float(values.max()), rel=1e-5)
        assert figures["mean"] == pytest.approx(float(values.mean()), rel=1e-3, abs=1e-5)
        assert figures["zeros"] == pytest.approx(float((values == 0).mean()), abs=1e-6)
        assert figures["milliseconds"] > 0
    assert run["preprocess"]["resize"] == run["preprocess"]["crop"] == 64
    assert run["preprocess"]["photo"] == [600, 400]


def test_weights_and_kernels_are_those_of_the_file(client: TestClient) -> None:
    network = embedded()
    for step in ("conv1", "conv3", "fc7"):
        for name in ("weight", "bias"):
            found = array(client, f"{API}/models/mini/steps/{step}/{name}.npy")
            np.testing.assert_array_equal(
                found, getattr(network.module(step), name).detach().numpy()
            )
    colour = client.get(f"{API}/models/mini/steps/conv1/filters.png").raise_for_status()
    with Image.open(io.BytesIO(colour.content)) as image:
        assert (image.mode, image.size) == ("RGB", (56, 56))
    slices = client.get(f"{API}/models/mini/steps/conv2/filters.png?channel=5").raise_for_status()
    with Image.open(io.BytesIO(slices.content)) as image:
        assert (image.mode, image.size) == ("P", (40, 40))


def test_a_sheet_and_its_description_agree(client: TestClient) -> None:
    query: dict[str, str | int] = {"scale": "layer", "channels": "top12", "size": 16}
    sheet = client.get(f"{RUN}/steps/conv1.png", params=query).raise_for_status()
    read = client.get(f"{RUN}/steps/conv1.json", params=query).raise_for_status().json()
    with Image.open(io.BytesIO(sheet.content)) as image:
        assert image.mode == "P"
        assert list(image.size) == read["size"]
    assert sheet.headers["x-tile"] == "16x16"
    assert sheet.headers["x-columns"] == str(read["columns"])
    assert sheet.headers["x-order"] == ",".join(map(str, read["order"]))
    values = array(client, f"{RUN}/steps/conv1.npy")
    assert read["order"] == np.argsort(-values.max((1, 2)), kind="stable")[:12].tolist()
    assert read["limits"] == [pytest.approx(float(np.abs(values).max()))] * 12
    assert (read["reduced"], read["palette"]) == (True, "signed")
    assert read["lowest"] == pytest.approx(float(values.min()))
    assert read["channels"][0]["max"] == pytest.approx(float(values.max()))


def test_tables_hold_every_digit(client: TestClient) -> None:
    def rows(address: str) -> list[list[str]]:
        answer = client.get(address).raise_for_status()
        assert "attachment" in answer.headers["content-disposition"]
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    head, *classes = rows(f"{RUN}/predictions.csv")
    assert head == ["index", "wnid", "label", "logit", "probability"]
    assert len(classes) == 100
    assert sum(float(line[4]) for line in classes) == pytest.approx(1, abs=1e-5)
    values = array(client, f"{RUN}/steps/conv5.npy")
    head, *lines = rows(f"{RUN}/steps/conv5.csv?channel=23")
    np.testing.assert_array_equal(np.array(lines, dtype=np.float32)[:, 1:], values[23])
    head, *channels = rows(f"{RUN}/steps/conv5.csv")
    assert float(channels[23][2]) == float(values[23].max())


def test_the_right_version_may_be_kept_forever(client: TestClient) -> None:
    address = f"{RUN}/steps/conv1.png?channels=top3"
    kept = client.get(f"{address}&v={version(ENTRY.row)}").headers["cache-control"]
    assert kept == "private, max-age=31536000, immutable"
    bare = client.get(address)
    assert bare.headers["cache-control"] == "private, no-cache"
    assert client.get(f"{address}&v=old").headers["cache-control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": bare.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(address, headers={"If-None-Match": '"other"'})
    assert (other.status_code, len(other.content)) == (200, len(bare.content))


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        (f"{API}/runs/resnet/coffee", 404, "There are: mini"),
        (f"{API}/runs/mini/nothing", 404, "not here"),
        (f"{API}/runs/mini/..%2f..%2fetc%2fpasswd", 404, ""),
        (f"{RUN}/steps/conv9.npy", 404, "no step called “conv9”"),
        (f"{RUN}/steps/conv1.npy?channel=64", 404, "channels 0 to 63, not 64"),
        (f"{RUN}/steps/conv1.png?channels=64", 404, "channels 0 to 63, not 64"),
        (f"{RUN}/steps/conv1.png?channels=x", 422, "numbers with commas"),
        (f"{RUN}/steps/conv1.png?scale=huge", 422, "scale"),
        (f"{RUN}/steps/conv1.png?size=0", 422, "size"),
        (f"{RUN}/steps/conv1.png?enlarge=33", 422, "enlarge"),
        (f"{RUN}?top=0", 422, "top"),
        (f"{API}/models/none/labels", 404, "no network"),
        (f"{API}/models/mini/steps/relu1/weight.npy", 404, "no weights"),
        (f"{API}/models/mini/steps/fc6/filters.png", 404, "not a convolution"),
        (f"{API}/models/mini/steps/conv2/filters.png?channel=192", 404, "not 192"),
        (f"{API}/images/nothing.png", 404, "not here"),
        (f"{API}/palettes/rainbow.png", 422, ""),
        (f"{API}/nowhere", 404, "nothing at this address"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    client: TestClient, address: str, status: int, words: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert words in body["detail"]
    assert body["detail"].endswith(".")


def test_every_operation_is_described_with_its_parameters(client: TestClient) -> None:
    api = client.get("/openapi.json").raise_for_status().json()
    operations = [
        (path, method, one)
        for path, methods in api["paths"].items()
        for method, one in methods.items()
    ]
    assert len(operations) >= 18
    for path, method, one in operations:
        assert one.get("summary"), (path, method)
        if path != "/healthz":
            assert one.get("description"), (path, method)
        for parameter in one.get("parameters", []):
            if parameter["in"] in ("query", "path") and "/events" not in path:
                assert parameter.get("description"), (path, parameter["name"])
    schemas = api["components"]["schemas"]
    assert sum("examples" in one for one in schemas.values()) >= 6

"""Are all responses of the server the same as before? Crawls every page, panel, stream and file.

    python -m scripts.snapshots take FOLDER                  of this checkout
    python -m scripts.snapshots take FOLDER --code OTHER     of another checkout, with this Python
    python -m scripts.snapshots compare BEFORE AFTER         exit status 1 if they differ

Take both on the same machine, since numbers differ between processors. White space that is not
shown (beside blocks and in tags) and times are ignored; in `/openapi.json` the names of components
and the descriptions are ignored too, unless `--strict` is given. After a change of structure the
two snapshots must be equal; after a change of words they differ in these words only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

import httpx2

from scripts.crawling import Address, addresses, shape_of
from scripts.screenshots import served

ROOT = Path(__file__).parents[1]
PER_SHAPE, PER_PATH = 3, 120
"""Most URLs requested that differ only in numbers, and most that differ only in the query."""
SEEDS = (
    "/",
    "/?step=conv2&channel=147",
    "/?image=cat&step=conv2&channel=1&y=6&x=2&zoom=arithmetic",
    "/?image=cat&step=conv5&channel=3&y=1&x=2&zoom=chain",
    "/?step=conv1&wall=colour&both=on",
    "/?model=mini-random&image=banana",
    "/?model=nothing",
    "/?image=nothing",
    "/?step=conv2&channel=100000",
    "/nothing",
    "/healthz",
    "/openapi.json",
    "/docs",
    "/layers/1?image=cat",
    "/layers/9",
    "/attack",
    "/compare?model=mini&image=cat&step=conv3",
    "/attack?run=1",
    "/attack?method=deepfool&run=1&image=cat",
    "/attack/events?model=mini&image=coffee&method=pgd&steps=3",
    "/lab",
    "/lab/row",
    "/lab/grid",
    "/lab/xo",
    "/lab/photo",
    "/api/v1/models",
    "/api/v1/samples",
    "/api/v1/runs/mini/coffee",
    "/api/v1/runs/mini/coffee?top=1000",
    "/api/v1/runs/mini/nothing",
    "/runs/mini/cat/events",
    "/runs/mini-random/rocket/events?scale=layer",
)
ATTACKS = ("fgsm", "pgd", "pgd_l2", "deepfool", "few_pixel", "universal", "sticker", "noise")
TIMES = re.compile(r"\d+(?:\.\d+)?(?=(?:\u00a0|&nbsp;|\u2009|&thinsp;|\s)*(?:ms|seconds?|s)\b)")
FILES = re.compile(r"(/static/[\w./-]+\?v=)\w+")
"""A digest in the URL of a static file: which of them changed is known without a snapshot."""
MOMENTS = re.compile(r'("milliseconds"|"expires"):\s*[\d.e-]+')
KEY = Path("key")
BLOCKS = re.compile(
    r"\s*(</?(?:html|head|body|meta|link|title|script|h\d|p|div|pre|ul|ol|li|dl|dt|dd|table|caption|thead"
    r"|tbody|tr|th|td|figure|figcaption|section|article|aside|header|footer|nav|main|form|fieldset"
    r"|legend|details|summary|dialog|noscript|select|option|br|hx-partial|g|rect|path|line|circle"
    r"|polyline|image|text|input type=.hidden.)\b[^>]*>)\s*"
)
"""Tags beside which white space is not shown; `_plain` leaves a new line between any two tags."""
WAITING = ('id="measuring"', 'class="wait"')
PATIENCE = 60
"""How often a page is requested again while something is still being measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Take or compare snapshots; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.snapshots", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(dest="verb", required=True)
    take = verbs.add_parser("take")
    take.add_argument("folder", type=Path)
    take.add_argument("--code", type=Path, default=ROOT, help="the checkout that serves")
    take.add_argument("--most", type=int, default=2500, help="addresses to ask for at most")
    compare = verbs.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    compare.add_argument("--strict", action="store_true", help="names and descriptions count too")
    compare.add_argument("--lines", type=int, default=400, help="how much of it is printed")
    given = parser.parse_args(arguments)
    if given.verb == "take":
        return _take(given.folder, given.code, given.most)
    return _compare(given.before, given.after, given.strict, given.lines)


def _take(folder: Path, code: Path, most: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        # Picture ids are digests with this key: two servers need the same key for the same ids.
        (Path(data) / KEY).write_bytes(bytes(32))
        with served(Path(data), code) as base, httpx2.Client(base_url=base, timeout=300) as client:
            found = dict(_crawl(client, most))
    lines = [json.dumps([key, found[key]], ensure_ascii=False) for key in sorted(found)]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(found)} answers in {folder}\n")
    return 0


def _crawl(client: httpx2.Client, most: int) -> Iterator[tuple[str, str]]:
    """Yield each URL with its response; follow links, send each form once."""
    waiting = deque(Address(url) for url in SEEDS)
    seen, shapes, paths = set[Address](), Counter[str](), Counter[str]()
    yield from _posts(client)
    while waiting and len(seen) < most:
        address = waiting.popleft()
        shape = shape_of(address)
        path = shape.partition("?")[0]
        if address in seen or shapes[shape] >= PER_SHAPE or paths[path] >= PER_PATH:
            continue
        seen.add(address)
        shapes[shape] += 1
        paths[path] += 1
        response = _measured(client, address)
        yield str(address), _content(response)
        if "html" in response.headers.get("content-type", "") or "event-stream" in str(
            response.headers.get("content-type")
        ):
            waiting.extend(addresses(response.text, address.url))
        elif location := response.headers.get("location"):
            waiting.append(Address(location))


def _measured(client: httpx2.Client, address: Address) -> httpx2.Response:
    """Request a URL, and again while the page says that the network is still being measured."""
    for _ in range(PATIENCE):
        response = client.get(address.url, headers=address.headers, follow_redirects=False)
        if not any(word in response.text for word in WAITING):
            break
        time.sleep(1)
    return response


def _posts(client: httpx2.Client) -> Iterator[tuple[str, str]]:
    """Uploads, attacks and invalid requests."""
    from app.pictures.samples import sample

    cup = sample("coffee")
    if cup is None:
        raise LookupError("the sample photo has another name now")
    with tempfile.TemporaryFile() as file:
        cup.open().resize((300, 200)).save(file, "PNG")
        file.seek(0)
        png = file.read()
    for name, data in (("mine.png", png), ("no.png", b"no picture"), ("cut.png", png[:3000])):
        for path in ("/api/v1/images", "/images"):
            response = client.post(path, files={"file": (name, data, "image/png")})
            yield f"POST {path} {name}", _content(response)
    for headers in ({}, {"HX-Request": "true"}):
        response = client.post("/images", files={"file": ("a.png", png)}, headers=headers)
        yield f"POST /images {headers}", _content(response)
    bodies: list[dict[str, Any]] = [{"method": method} for method in ATTACKS if method != "sticker"]
    bodies += [
        {"method": "pgd", "target": "goldfish"},
        {"method": "pgd", "epsilon": -1},
        {"method": "none"},
        {"method": "fgsm", "true_label": "espresso"},
        {"method": "fgsm", "image": "nothing"},
        {"method": "fgsm", "target": "espreso"},
    ]
    for body in bodies:
        sent = {"model": "mini", "image": "coffee", "seed": 1, **body}
        yield f"POST /api/v1/attacks {body}", _content(client.post("/api/v1/attacks", json=sent))


def _content(response: httpx2.Response) -> str:
    """Status, relevant headers, and the body or, if it is no text, its digest."""
    kind = response.headers.get("content-type", "")
    names = ("content-type", "cache-control", "location", "vary", "hx-push-url", "hx-replace-url")
    headers = [f"{name}: {response.headers[name]}" for name in names if name in response.headers]
    if any(word in kind for word in ("text", "json", "svg", "xml")) and "image/png" not in kind:
        body = _plain(response.text)
    else:
        body = hashlib.sha256(response.content).hexdigest()
    return "\n".join([str(response.status_code), *headers, body])


def _plain(text: str) -> str:
    """The text without times, one tag or sentence per line."""
    text = MOMENTS.sub(r"\1:0", TIMES.sub("#", text))
    text = re.sub(r"\s+", " ", text)
    return re.sub(r">\s*<", ">\n<", FILES.sub(r"\1#", text))


def _compare(before: Path, after: Path, strict: bool, lines: int) -> int:
    one, two = (_read(folder, strict) for folder in (before, after))
    printed: list[str] = []
    differ = [key for key in sorted(one.keys() | two.keys()) if one.get(key) != two.get(key)]
    for key in differ:
        printed.append(f"\n=== {key}")
        if key not in one or key not in two:
            printed.append("only before" if key in one else "only after")
            continue
        printed += list(unified_diff(one[key].split("\n"), two[key].split("\n"), n=0, lineterm=""))
    for line in printed[:lines]:
        sys.stdout.write(line[:400] + "\n")
    sys.stdout.write(f"{len(one)} answers before, {len(two)} after, {len(differ)} differ\n")
    return 1 if differ else 0


def _read(folder: Path, strict: bool) -> dict[str, str]:
    text = (folder / "answers.jsonl").read_text(encoding="utf-8")
    found: dict[str, str] = dict(json.loads(line) for line in text.splitlines())
    for key, answer in found.items():
        if "\ncontent-type: text/event-stream" in answer:
            found[key] = _shown(re.sub(r"\s*(?<![\w-])data:\s*", " ", answer))
        elif "\ncontent-type: text/html" in answer:
            found[key] = _shown(answer)
    if not strict and (schema := found.get("/openapi.json")):
        head, _, body = schema.partition("\n{")
        found["/openapi.json"] = head + "\n" + _unnamed("{" + body)
    return found


def _shown(page: str) -> str:
    """A page without the white space that a browser does not show."""
    page = re.sub(r"\s+(/?>)", r"\1", page)
    page = re.sub(r"(<button\b[^>]*>)\s*|\s*(</button>)", r"\1\2", page)
    return re.sub(r">\s*<", ">\n<", BLOCKS.sub(r"\n\1\n", page))


def _unnamed(text: str) -> str:
    """A schema with its components inlined, without titles and descriptions."""
    schema = json.loads(text)
    parts = schema.get("components", {}).get("schemas", {})

    def resolved(node: Any, inside: tuple[str, ...] = ()) -> Any:
        if isinstance(node, list):
            return [resolved(one, inside) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            return "itself" if name in inside else resolved(parts[name], (*inside, name))
        drop = ("description", "title", "summary", "operationId")
        return {k: resolved(v, inside) for k, v in node.items() if k not in drop or type(v) is dict}

    return json.dumps(resolved(schema["paths"]), indent=0, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())

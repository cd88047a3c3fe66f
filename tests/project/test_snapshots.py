"""The comparison of what two servers answer: which addresses are followed, what counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.crawling import Address, addresses, shape_of
from scripts.snapshots import main


def test_links_are_followed_and_htmx_says_what_it_fills() -> None:
    page = """<main id="walk" hx-target:inherited="#walk"><a href="/layers/2">2</a>
    <button hx-get="/layers/2?x=1">more</button><img src="https://elsewhere/x.png">
    <div id="other"></div><a hx-get="#top" hx-target="#other" href="?y=2">3</a></main>"""
    found = addresses(page, "/layers/1")
    assert Address("/layers/2") in found
    assert Address("/layers/2?x=1", "main#walk") in found
    assert Address("/layers/1?y=2", "div#other") in found
    assert all(one.url.startswith("/layers/") for one in found)


def test_what_differs_in_numbers_alone_has_one_shape() -> None:
    one = shape_of(Address("/?model=mini&image=cat&step=conv2&channel=3"))
    assert one == shape_of(Address("/?model=mini&image=dog&step=conv3&channel=44"))
    assert one != shape_of(Address("/?model=mini-random&image=cat&step=conv2&channel=3"))
    assert one != shape_of(Address("/?model=mini&image=cat&step=conv2&channel=3", "aside#evidence"))


def write(folder: Path, **answers: str) -> Path:
    folder.mkdir()
    lines = [json.dumps([key, text]) for key, text in answers.items()]
    (folder / "answers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_equal_answers_are_equal_and_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write(tmp_path / "a", page="200\n<p>one</p>", gone="200")
    same = write(tmp_path / "b", gone="200", page="200\n<p>one</p>")
    other = write(tmp_path / "c", page="200\n<p>two</p>")
    assert main(["compare", str(before), str(same)]) == 0
    assert main(["compare", str(before), str(other)]) == 1
    told = capsys.readouterr().out
    assert "+<p>two</p>" in told and "only before" in told and "2 differ" in told


def test_white_space_counts_where_it_is_shown(tmp_path: Path) -> None:
    head = "200\ncontent-type: text/html\n"
    before = write(tmp_path / "a", page=f"{head}<p>one <b>two</b>.</p>")
    broken = write(tmp_path / "b", page=f"{head}<p > one <b>two</b>. </p>")
    other = write(tmp_path / "c", page=f"{head}<p>one <b>two</b> .</p>")
    assert main(["compare", str(before), str(broken)]) == 0
    assert main(["compare", str(before), str(other)]) == 1


def test_where_the_lines_of_an_event_end_does_not_count(tmp_path: Path) -> None:
    head = "200\ncontent-type: text/event-stream\n"
    before = write(tmp_path / "a", events=f'{head}data: <p id="x">one two</p>')
    cut = write(tmp_path / "b", events=f'{head}data: <p data: id="x">one data: two</p>')
    other = write(tmp_path / "c", events=f'{head}data: <p id="x">one three</p>')
    assert main(["compare", str(before), str(cut)]) == 0
    assert main(["compare", str(before), str(other)]) == 1


def test_names_of_components_do_not_count_unless_asked(tmp_path: Path) -> None:
    def schema(name: str, kind: str) -> str:
        parts = {"schemas": {name: {"title": name, "type": kind}}}
        paths = {"/x": {"get": {"summary": name, "schema": {"$ref": f"#/components/{name}"}}}}
        return "200\n" + json.dumps({"paths": paths, "components": parts})

    folders = [
        write(tmp_path / name, **{"/openapi.json": schema(name, kind)})
        for name, kind in (("One", "string"), ("Two", "string"), ("Three", "number"))
    ]
    one, two, three = map(str, folders)
    assert main(["compare", one, two]) == 0
    assert main(["compare", one, two, "--strict"]) == 1
    assert main(["compare", one, three]) == 1

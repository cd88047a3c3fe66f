"""Modes of torch belong to a thread: nobody may go away, or let others work, while one is on.

A generator that is closed elsewhere, or by the garbage collector, leaves the mode on in the thread
that entered it; what learns there next finds no gradients.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from app.services.networks.catalogue import Catalogue
from app.services.runs.batch_inference import Batches
from tests.support.networks import embedded

ROOT = Path(__file__).resolve().parents[2]
MODES = ("inference_mode", "no_grad", "enable_grad", "set_grad_enabled", "autocast", "evaluating")


def held(source: str) -> Iterator[int]:
    """The lines of yields inside a mode."""
    for block in ast.walk(ast.parse(source)):
        if isinstance(block, ast.With | ast.AsyncWith):
            entered = " ".join(ast.unparse(item.context_expr) for item in block.items)
            if any(mode in entered for mode in MODES):
                for node in ast.walk(block):
                    if isinstance(node, ast.Yield | ast.YieldFrom):
                        yield node.lineno


def test_a_held_mode_is_found() -> None:
    assert list(held("def f():\n with torch.no_grad():\n  yield 1")) == [3]
    assert list(held("def f():\n with torch.no_grad():\n  x = 1\n yield x")) == []


@pytest.mark.parametrize("folder", ["app", "models", "scripts"])
def test_no_mode_is_held_across_a_yield(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in held(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_question_that_is_given_up_leaves_the_thread_as_it_was() -> None:
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    answers = Batches(model, embedded()).logits([torch.zeros(3, 64, 64, dtype=torch.uint8)] * 2)
    assert next(answers).shape[1] == 100
    assert not torch.is_inference_mode_enabled()

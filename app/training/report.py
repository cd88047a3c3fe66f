"""Writes an evaluation: tables as CSV, charts as SVG, a summary as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from app.pictures import svg_charts
from app.pictures.charts import ChartAxis
from app.training.checkpoint import write_text
from app.training.evaluation import ClassFigures, Evaluation

SHOWN = 8  # classes in the summary


def write(folder: Path, evaluation: Evaluation, labels: Mapping[str, str], title: str) -> None:
    """Write all tables and charts to `folder`; `labels` maps class names to words."""
    files = {
        "summary.md": summary(evaluation, labels, title),
        "classes.csv": _csv(_class_rows(evaluation, labels)),
        "confusion.csv": _csv(_confusion_rows(evaluation)),
        "reliability.csv": _csv(_reliability_rows(evaluation)),
        "classes.svg": classes_chart(evaluation, title),
        "confusion.svg": confusion_chart(evaluation, title),
        "reliability.svg": reliability_chart(evaluation, title),
    }
    for name, text in files.items():
        write_text(folder / name, text)


def summary(evaluation: Evaluation, labels: Mapping[str, str], title: str) -> str:
    """Accuracy, the best and worst classes and the most common mistakes, as Markdown."""
    ranked = sorted(evaluation.classes, key=lambda one: (-one.top1, labels[one.name]))
    mistakes = sorted((one for one in ranked if one.mistaken), key=lambda one: -one.times)
    return "\n".join(
        [
            f"# {title}",
            "",
            "| pictures | top-1 | top-5 | expected calibration error |",
            "|---|---|---|---|",
            f"| {evaluation.pictures:,} | {evaluation.top1:.2%} | {evaluation.top5:.2%} "
            f"| {evaluation.ece:.2%} |",
            "",
            f"Best recognised: {_listed(ranked[:SHOWN], labels)}.",
            "",
            f"Worst recognised: {_listed(ranked[::-1][:SHOWN], labels)}.",
            "",
            "Commonest mistakes: "
            + "; ".join(
                f"{labels[one.name]} taken for {labels[one.mistaken or '']} ({one.times})"
                for one in mistakes[:SHOWN]
            )
            + ".",
            "",
        ]
    )


def classes_chart(evaluation: Evaluation, title: str) -> str:
    """A bar for each class, from the best recognised to the worst."""
    shares = sorted((100 * one.top1 for one in evaluation.classes), reverse=True)
    return svg_charts.bars(
        f"{title}: right first, class by class",
        ChartAxis("classes, best first", 0, len(shares)),
        ChartAxis("per cent", 0, 100),
        shares,
    )


def reliability_chart(evaluation: Evaluation, title: str) -> str:
    """Reliability diagram: accuracy by confidence; a calibrated network is on the dashed line."""
    return svg_charts.bars(
        f"{title}: how far to trust it (ECE {evaluation.ece:.1%})",
        ChartAxis("probability of the answer, per cent", 0, 100),
        ChartAxis("right, per cent", 0, 100),
        [100 * one.accuracy if one.count else None for one in evaluation.reliability],
        diagonal=True,
    )


def confusion_chart(evaluation: Evaluation, title: str) -> str:
    """Confusion matrix: rows are true classes, columns predictions; darker is more frequent."""
    counts = evaluation.confusion.double()
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return svg_charts.shades(
        f"{title}: what is called what", shares[:, :-1].tolist(), "called", "is"
    )


def _listed(classes: Iterable[ClassFigures], labels: Mapping[str, str]) -> str:
    return ", ".join(f"{labels[one.name]} ({one.top1:.0%})" for one in classes)


def _class_rows(evaluation: Evaluation, labels: Mapping[str, str]) -> list[list[object]]:
    head = ["class", "label", "pictures", "top1", "top5", "precision", "mistaken_for", "times"]
    rows = [
        [
            one.name, labels[one.name], one.pictures, _share(one.top1), _share(one.top5),
            "" if one.precision is None else _share(one.precision),
            labels[one.mistaken] if one.mistaken else "", one.times,
        ]
        for one in evaluation.classes
    ]  # fmt: skip
    return [list(head), *rows]


def _confusion_rows(evaluation: Evaluation) -> list[list[object]]:
    names = [one.name for one in evaluation.classes]
    counts = evaluation.confusion.tolist()
    return [["is", *names, "another"], *([n, *row] for n, row in zip(names, counts, strict=True))]


def _reliability_rows(evaluation: Evaluation) -> list[list[object]]:
    rows: list[list[object]] = [["low", "high", "answers", "confidence", "accuracy"]]
    for one in evaluation.reliability:
        figures = (one.low, one.high, one.confidence, one.accuracy)
        low, high, confidence, accuracy = (_share(value) for value in figures)
        rows.append([low, high, one.count, confidence, accuracy])
    return rows


def _share(value: float) -> str:
    return f"{value:.4f}"


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()

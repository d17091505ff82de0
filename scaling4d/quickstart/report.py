"""``report.html``: one self-contained page that shows what was made and says how good it is."""

from __future__ import annotations

import base64
import dataclasses
import html
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scaling4d.quickstart.settings import QuickstartSettings
from scaling4d.quickstart.stages import Record
from scaling4d.storage.atomic import write_text_atomic

PACKAGES = ("scaling4d", "torch", "numpy", "opencv-python", "usd-core", "bpy", "diffusers", "h5py")

METHOD_NAMES = {
    "trained": "Scaling4D mini, trained here",
    "untrained": "the same model, untrained",
    "warp": "raw warp (black where nothing is seen)",
    "inpainted": "warp + OpenCV inpainting (Telea)",
}

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #e5e5e5; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
video { width: 100%; background: #000; } video, img { border-radius: 4px; }
.scenes { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; } .scenes img { width: 100%; }
figure { margin: 1rem 0; } figcaption { color: #555; font-size: .9rem; }
.good { color: #126b2f; } .bad { color: #a3211b; }
"""


def write_report(
    out: Path,
    records: Mapping[str, Record],
    *,
    real: Path | None,
    settings: QuickstartSettings,
    peak_memory: int,
) -> Path:
    """Write ``out/report.html`` with every picture and video inside it, and return its path."""
    comparison = records["compare"]
    log = read_training_log(out / "training" / "log.jsonl")
    parts = [
        "<h1>Scaling4D quickstart</h1>",
        "<p>A small asset library was built, scenes were composed in USD and path-traced from "
        "synchronised cameras, and a small video diffusion transformer was trained on "
        f"{_real(real)} and on the synthetic pairs. Then it made new views.</p>",
        "<h2>Novel views of a scene kept out of training</h2>",
        *_results(out, comparison),
        "<h2>How good it is</h2>",
        *_quality(comparison),
        "<h2>Training</h2>",
        *_training(log),
        "<h2>The minted scenes</h2>",
        *_scenes(out),
        "<h2>Time, memory, settings, versions</h2>",
        _table(
            ("stage", "seconds"),
            [(record["title"], f"{record['seconds']:.0f}") for record in records.values()],
        ),
        f"<p>Largest process: {peak_memory / 2**30:.1f} GiB resident.</p>",
        _table(("setting", "value"), dataclasses.asdict(settings).items()),
        _table(("package", "version"), _versions()),
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Scaling4D quickstart</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
    write_text_atomic(out / "report.html", page)
    return out / "report.html"


def read_training_log(path: Path) -> list[dict[str, Any]]:
    """Return the training's log records, one per line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _real(real: Path | None) -> str:
    if real is None:
        return (
            "<strong>stand-ins for real videos</strong> (no folder was given with --real, so "
            "RGB-only clips of scenes kept apart were used)"
        )
    return f"the real videos in <code>{html.escape(str(real))}</code>"


def _results(out: Path, comparison: Record) -> Iterable[str]:
    results = out / "results"
    for pair in comparison["pairs"][:3]:
        source, target = pair.split("-")
        caption = f"From {source} to {target}: source, warped, generated, truth."
        yield _video(results / f"{pair}.mp4", caption)
    new_path = comparison["new_path"]
    caption = f"A new path, {new_path['trajectory']}: source, warped, generated. No truth exists."
    yield _video(results / "new_path.mp4", caption)
    if "real_video" in comparison:
        record = comparison["real_video"]
        seen = "the only one given, so the model was trained on it too"
        unseen = "kept out of training"
        yield _video(
            results / "real_video.mp4",
            f"The real video {record['source']}, {seen if record['trained_on'] else unseen}, "
            f"under {record['trajectory']}: source, warped, generated. A pure rotation needs no "
            "depth, so none was guessed.",
        )


def _quality(comparison: Record) -> Iterable[str]:
    everywhere, unseen = comparison["psnr_everywhere"], comparison["psnr_unseen"]
    rows = [
        (name, f"{everywhere[key]:.2f}", f"{unseen[key]:.2f}") for key, name in METHOD_NAMES.items()
    ]
    share = comparison["unseen_share"]
    yield (
        f"<p>PSNR against the truth in dB, over {len(comparison['pairs'])} ordered camera pairs; "
        f"the warp could not see {share:.0%} of the pixels.</p>"
    )
    yield _table(("method", "everywhere", "where the warp sees nothing"), rows)
    yield _verdict(
        comparison["beats_untrained_everywhere"], "better than the untrained model everywhere"
    )
    yield _verdict(
        comparison["beats_warp_where_unseen"], "better than the raw warp where it sees nothing"
    )
    worse = [
        f"{METHOD_NAMES[key]} {place}"
        for place, table in (("everywhere", everywhere), ("where the warp sees nothing", unseen))
        for key in ("warp", "inpainted")
        if table[key] > table["trained"]
    ]
    if worse:
        yield (
            "<p>This small model, trained for minutes, is still <strong>worse</strong> than: "
            f"{'; '.join(worse)}.</p>"
        )


def _training(log: list[dict[str, Any]]) -> Iterable[str]:
    losses = [(record["step"], record["loss"]) for record in log if "loss" in record]
    yield _loss_curve(losses)
    mixes = [record["drawn"] for record in log if "drawn" in record]
    if mixes:
        drawn = mixes[-1]
        total = max(sum(drawn.values()), 1)
        text = ", ".join(f"{name} {count} ({count / total:.1%})" for name, count in drawn.items())
        yield f"<p>Samples drawn: {html.escape(text)}.</p>"


def _loss_curve(losses: list[tuple[int, float]], width: int = 800, height: int = 240) -> str:
    """Draw the loss of every step and its running mean as an inline SVG."""
    if len(losses) < 2:
        return "<p>Too few steps for a curve.</p>"
    steps, values = (np.asarray(column, dtype=np.float64) for column in zip(*losses, strict=True))
    window = max(len(values) // 20, 1)
    smooth = np.convolve(values, np.ones(window) / window, mode="valid")
    low, high = float(values.min()), float(np.quantile(values, 0.99))
    span = max(high - low, 1e-9)

    def line(x: np.ndarray, y: np.ndarray, style: str) -> str:
        px = 50 + (x - steps[0]) / max(steps[-1] - steps[0], 1) * (width - 60)
        py = 10 + (high - np.minimum(y, high)) / span * (height - 40)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px, py, strict=True))
        return f'<polyline fill="none" {style} points="{points}"/>'

    each = line(steps, values, 'stroke="#c9d4e5" stroke-width="1"')
    mean = line(steps[window - 1 :], smooth, 'stroke="#1f5fbf" stroke-width="2"')
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="training loss">'
        f'<text x="0" y="18" font-size="12">{high:.3f}</text>'
        f'<text x="0" y="{height - 30}" font-size="12">{low:.3f}</text>'
        f'<text x="50" y="{height - 8}" font-size="12">step {steps[0]:.0f}</text>'
        f'<text x="{width - 80}" y="{height - 8}" font-size="12">step {steps[-1]:.0f}</text>'
        f"{each}{mean}</svg>"
        "<figcaption>Flow-matching loss per step and its running mean.</figcaption></figure>"
    )


def _scenes(out: Path) -> Iterable[str]:
    yield "<p>Colour and depth of each camera, four moments of each scene.</p><div class='scenes'>"
    for part in ("syn", "stand_in", "held_out"):
        for sheet in sorted((out / "data" / part / "previews").glob("*.png")):
            yield _picture(sheet, f"{part}: {sheet.stem}")
            yield _video(sheet.with_suffix(".mp4"), f"{part}: {sheet.stem}, all cameras")
    yield "</div>"


def _verdict(holds: bool, claim: str) -> str:
    mark, style = ("yes", "good") if holds else ("no", "bad")
    return f'<p>{claim}: <strong class="{style}">{mark}</strong></p>'


def _table(header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr><td>{html.escape(str(first))}</td>"
        + "".join(f'<td class="number">{html.escape(str(cell))}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _video(path: Path, caption: str) -> str:
    return (
        f'<figure><video controls loop muted autoplay playsinline src="{_data(path, "video/mp4")}">'
        f"</video><figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _picture(path: Path, caption: str) -> str:
    return (
        f'<figure><img alt="{html.escape(caption)}" src="{_data(path, "image/png")}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _data(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _versions() -> list[tuple[str, str]]:
    versions = [("python", platform.python_version()), ("system", platform.platform())]
    for package in PACKAGES:
        try:
            versions.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            versions.append((package, "not installed"))
    return versions

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import yaml

from tests.data.samples import put_header_first, write_sample_scene, write_sample_video
from tests.train.runs import arguments, read_lines
from train.__main__ import main
from train.config import QUICKSTART_DATA

REAL = "real:1"


def fail(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    """Run a command that must end with status 2; return its one sentence."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert captured.err.rstrip().endswith(lines[0]), "the sentence comes last, without a traceback"
    assert "Traceback" not in captured.err
    assert captured.out == ""
    return lines[0]


@pytest.mark.parametrize("mix", ["real:0.9,syn:-1", "real", "real:nan", "real:1,real:2", ""])
def test_mix_that_does_not_parse(
    mix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(capsys, ["--mix", mix, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_source_without_data_names_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = fail(capsys, ["--mix", "film:1", "--recipe", "tiny_cpu"])
    assert "--data.film DIR" in sentence
    assert str(QUICKSTART_DATA / "film") in sentence


def test_missing_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    sentence = fail(capsys, ["--mix", REAL, "--recipe", "tiny_cpu", "--data.real", str(gone)])
    assert str(gone) in sentence
    assert "--data.real" in sentence


def test_data_for_a_source_outside_the_mix(
    sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [*arguments(sample_data, sample_data / "no", mix=REAL), "--data.syn", "."]
    assert "names no 'syn'" in fail(capsys, argv)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("optimiser.lr=1", "did you mean optimizer?"),
        ("optimizer.lr=fast", "optimizer.lr must be of type float, got 'fast'"),
        ("optimizer.lr=-1", "lr and max_grad_norm must be positive"),
        ("steps=many", "steps must be of type int"),
        ("steps=-1", "at least 0"),
        ("run.precision=fp8", "one of no, bf16, fp16"),
        ("data.pairs.min_valid=2", "between 0 and 1"),
        ("data.flow.name=raft_huge", "raft_huge"),
        ("data.frames=6", "nearest legal: 5 frames"),
        ("data.height=33", "nearest legal"),
        ("model.backbone.options.dimension=3", "no option dimension"),
        ("run.cache_limit=much", "run: a size is a whole number of bytes or a text such as 500MB"),
        ("run.cache_limit=0", "got 0"),
        ("justtext", "key=value"),
        ("steps.more=1", "is a value, not a section"),
        ("data=3", "must be a section"),
    ],
)
def test_settings_that_are_wrong(
    more: str, words: str, sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert words in fail(capsys, arguments(sample_data, out, more, mix=REAL))
    assert not (out / "log.jsonl").exists()


def test_unknown_recipe_lists_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = fail(capsys, ["--mix", REAL, "--recipe", "huge"])
    assert all(name in sentence for name in ("mini", "quickstart", "paper", "tiny_cpu"))
    (tmp_path / "broken.yaml").write_text("steps: [1")
    assert "not YAML" in fail(capsys, ["--mix", REAL, "--recipe", str(tmp_path / "broken.yaml")])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no video", "not a readable video"),
        (None, "holds no video"),
        ("short", "a clip needs 5"),
    ],
)
def test_videos_that_cannot_be_used(
    content: bytes | str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    if content == "short":
        write_sample_video(folder / "a.mp4", frames=3)
    elif isinstance(content, bytes):
        (folder / "a.mp4").write_bytes(content)
    argv = ["--mix", REAL, "--recipe", "tiny_cpu", "--data.real", str(folder)]
    assert words in fail(capsys, [*argv, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_video_that_breaks_off_while_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    whole = put_header_first(write_sample_video(folder / "a.mp4", frames=40)).read_bytes()
    # The header in front still promises 40 frames.
    (folder / "a.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    argv = ["--mix", REAL, "--recipe", "tiny_cpu", "--data.real", str(folder), "steps=2"]
    sentence = fail(capsys, [*argv, "--out", str(tmp_path / "out")])
    assert "a.mp4 has no frame" in sentence
    assert "data.skip_broken=true" in sentence
    write_sample_video(folder / "b.mp4", frames=40)
    assert main([*argv, "--out", str(tmp_path / "skips"), "data.skip_broken=true"]) == 0
    lines = read_lines(tmp_path / "skips" / "pairs.jsonl")
    passed = [clip for line in lines for clip in line["passed_over"]]
    assert passed
    assert all("a.mp4 has no frame" in clip["broken"] for clip in passed)


def test_scene_file_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_sample_scene(tmp_path / "syn.h5")
    path.write_bytes(path.read_bytes()[:2000])
    argv = ["--mix", "syn:1", "--recipe", "tiny_cpu", "--data.syn", str(tmp_path)]
    assert "syn.h5" in fail(capsys, [*argv, "--out", str(tmp_path / "out")])


def test_folder_that_holds_a_run_is_left_alone(
    sample_data: Path, straight_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")}
    assert "--resume" in fail(capsys, arguments(sample_data, straight_run))
    other = arguments(sample_data, straight_run, "--resume", "optimizer.lr=0.5")
    assert "optimizer.lr=0.001" in fail(capsys, other)
    assert {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")} == before


def test_out_that_is_a_file(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert "is a file" in fail(capsys, arguments(sample_data, tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "mine"


def test_cache_that_is_a_file(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("mine")
    argv = [*arguments(sample_data, tmp_path / "out")[:-1], f"run.cache={tmp_path / 'cache'}"]
    assert "run.cache must be a folder or none" in fail(capsys, argv)


def test_broken_checkpoint_is_named(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(arguments(sample_data, out, "steps=1")) == 0
    capsys.readouterr()
    weights = out / "checkpoints" / "step_000001" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    sentence = fail(capsys, arguments(sample_data, out, "steps=2", "--resume"))
    assert "step_000001 is not a readable checkpoint" in sentence


def test_checkpoint_that_the_disk_does_not_take_is_named_and_leaves_nothing(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(arguments(sample_data, out, "steps=1")) == 0
    capsys.readouterr()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))  # its weights are larger
    try:
        sentence = fail(capsys, arguments(sample_data, out, "steps=2", "--resume"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"{out / 'checkpoints' / 'step_000002'} cannot be written" in sentence
    assert "B free there): make room and go on with --resume" in sentence
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["step_000001"]
    assert main(arguments(sample_data, out, "steps=2", "--resume")) == 0


def test_resumed_step_must_see_as_many_samples(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(arguments(sample_data, out, "steps=1")) == 0
    capsys.readouterr()
    sentence = fail(capsys, arguments(sample_data, out, "steps=2", "--resume", "run.batch=3"))
    assert "a step of this run sees 2 samples, now 3 (run.batch 3 x run.accumulate 1" in sentence
    halves = ("steps=2", "--resume", "run.batch=1", "run.accumulate=2")
    assert main(arguments(sample_data, out, *halves)) == 0


def test_data_is_found_in_option_recipe_and_quickstart_in_this_order(
    sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.config import read_recipe, resolve

    monkeypatch.chdir(tmp_path)
    (tmp_path / QUICKSTART_DATA / "syn").mkdir(parents=True)
    recipe = read_recipe("tiny_cpu")
    recipe["data"]["sources"] = {"real": str(tmp_path)}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(recipe))
    mix = "real:0.5,syn:0.5"
    found = resolve("own.yaml", mix=mix, folders={}, overrides=[]).data.sources
    assert found == {"real": str(tmp_path), "syn": str(tmp_path / QUICKSTART_DATA / "syn")}
    given = {"real": str(sample_data)}
    found = resolve("own.yaml", mix=mix, folders=given, overrides=[]).data.sources
    assert found["real"] == str(sample_data)


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("--mix real:0.9,syn:0.1", "--data.real", "--resume", "key=value", "exit status"):
        assert word in text

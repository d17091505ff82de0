"""The spec: what a user may write, and one sentence for everything else."""

from __future__ import annotations

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.spec import SpecError, load_spec, parse_spec, spec_to_mapping


def write(tmp_path, text):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    return path


def test_resolved_spec_reads_back_unchanged():
    spec = parse_spec({"scenes": 3, "seed": 2**63 + 5, "render": {"cycles": {"samples": 7}}})
    assert parse_spec(spec_to_mapping(spec)) == spec
    assert spec.render.cycles.samples == 7


def test_overrides_reach_nested_keys_and_yaml_numbers(tmp_path):
    path = write(tmp_path, "scenes: 3\nfps: 24\n")
    spec = load_spec(path, ("render.cycles.samples=64", "pack.max_residual_px=1e-3", "scenes=5"))
    assert (spec.scenes, spec.render.cycles.samples, spec.fps) == (5, 64, 24.0)
    assert spec.pack.max_residual_px == 1e-3


@pytest.mark.parametrize("order", ["before", "after"])
def test_overrides_are_taken_on_either_side_of_the_options(tmp_path, order):
    path, out = write(tmp_path, "scenes: 3\n"), ["--out", str(tmp_path / "out")]
    middle = ["scenes=2", *out] if order == "before" else [*out, "scenes=2"]
    assert main(["plan", str(path), *middle]) == 0
    assert len(list((tmp_path / "out/items").iterdir())) == 2
    with pytest.raises(SystemExit):
        main(["plan", str(path), *out, "--scenes", "2"])


def test_library_paths_are_relative_to_the_spec(tmp_path):
    spec = load_spec(write(tmp_path, "scenes: 1\nlibraries: [lib/catalog.yaml]\n"))
    assert spec.libraries == ((tmp_path / "lib/catalog.yaml").resolve(),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scene: 3", "unknown key scene: did you mean scenes?"),
        ("scenes: 3\nrender: {cycles: {sampels: 4}}", "did you mean samples?"),
        ("seed: 1", "scenes is missing"),
        ("scenes: many", "scenes must be an integer, got 'many'"),
        ("scenes: true", "scenes must be an integer, got True"),
        ("scenes: 0", "scenes must be at least 1, got 0"),
        ("scenes: 1\nseed: -1", "seed must lie in"),
        ("scenes: 1\nfps: .nan", "fps must be a number, got nan"),
        ("scenes: 1\nname: a b", "letters, digits"),
        ("scenes: 1\nrender: {renderer: arnold}", "must be one of cycles, karma, preview"),
        ("scenes: 1\nrender: {cycles: {samples: 0}}", "render.cycles: samples must be at least 1"),
        ("scenes: 1\nrender: 3", "render must be a mapping"),
        ("scenes: 1\nlibraries: lib", "libraries must be a list, got 'lib'"),
        ("scenes: [1", "is not valid YAML"),
        ("- 1", "must hold a mapping"),
    ],
)
def test_every_mistake_is_one_sentence_and_exit_status_2(tmp_path, capsys, text, message):
    path = write(tmp_path, text)
    assert main(["plan", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_output_folder_may_stand_in_the_spec(tmp_path, capsys):
    path = write(tmp_path, "scenes: 1\noutput: made/here\n")
    assert main(["plan", str(path)]) == 0
    assert (tmp_path / "made/here/plan.json").is_file()
    assert main(["plan", str(path), "--out", str(tmp_path / "there")]) == 0
    assert (tmp_path / "there/plan.json").read_bytes() == (
        tmp_path / "made/here/plan.json"
    ).read_bytes()
    assert main(["plan", str(write(tmp_path, "scenes: 1\n"))]) == 2
    assert "--out DIR, or output: DIR in the spec" in capsys.readouterr().err


def test_the_printed_reference_is_a_spec_that_says_nothing_new(tmp_path, capsys):
    assert main(["spec"]) == 0
    text = capsys.readouterr().out
    assert load_spec(write(tmp_path, text)) == parse_spec({"scenes": 1})
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if ":" in line and not line.lstrip().startswith("#"):
            assert lines[number - 1].lstrip().startswith("#"), f"{line} is not explained"
    assert "One of cycles, karma, preview." in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenes: 1\nscenes: 2\n", "line 2: the key scenes is given twice"),
        ("scenes: 1\nrender:\n  exposure: 1\n  exposure: 2\n", "line 4: the key exposure"),
    ],
)
def test_a_key_given_twice_is_refused(tmp_path, text, said):
    with pytest.raises(SpecError, match=said):
        load_spec(write(tmp_path, text))


def test_missing_files_are_named(tmp_path, capsys):
    assert main(["plan", str(tmp_path / "no.yaml"), "--out", str(tmp_path)]) == 2
    assert "cannot read the spec" in capsys.readouterr().err
    path = write(tmp_path, "scenes: 1\nlibraries: [lib/catalog.yaml]\n")
    assert main(["plan", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "catalog.yaml does not exist" in capsys.readouterr().err
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/catalog.yaml").write_text("name: a spec, by mistake\n")
    assert main(["plan", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "catalog.yaml is no catalogue" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_broken_override_is_refused(tmp_path):
    path = write(tmp_path, "scenes: 1\n")
    with pytest.raises(SpecError, match=r"must read section\.key=value"):
        load_spec(path, ("scenes",))
    with pytest.raises(SpecError, match="scenes is not a section"):
        load_spec(path, ("scenes.x=3",))


def test_awkward_output_folders_are_refused(tmp_path, capsys):
    path = write(tmp_path, "scenes: 1\n")
    for name in ("with space", "with$dollar", "with`tick"):
        assert main(["plan", str(path), "--out", str(tmp_path / name)]) == 2
        assert "choose another folder" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "python -m houdini_pdg mint spec.yaml --out DATA" in text

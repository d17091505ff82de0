from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import yaml

from train.config import RECIPES, check_same_run, resolve, write_config
from train.settings import ConfigError, apply_overrides, build


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 1.0
    kind: Literal["a", "b"] = "a"
    pair: tuple[float, float] = (0.0, 1.0)
    some: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    table: dict[str, str] = field(default_factory=dict)
    switch: bool = False


def test_nested_mappings_become_dataclasses() -> None:
    values = {
        "name": "x",
        "inner": {"rate": "4e-5", "kind": "b", "pair": [1, 2], "some": [3, 4]},
        "table": {"real": "here"},
    }
    inner = Inner(rate=4e-5, kind="b", pair=(1.0, 2.0), some=(3, 4))
    assert build(Outer, values) == Outer(name="x", inner=inner, table={"real": "here"})


def test_a_bare_no_is_the_text_where_that_is_a_choice() -> None:
    folders = {"real": "."}
    config = resolve("paper", mix="real:1", folders=folders, overrides=["run.precision=no"])
    assert config.run.precision == "no"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x", "iner": {}}, "unknown setting iner: did you mean inner?"),
        ({"name": "x", "inner": {"rat": 1}}, "unknown setting inner.rat"),
        ({"name": 3}, "name must be of type str"),
        ({"name": "x", "inner": {"rate": True}}, "inner.rate must be of type float"),
        ({"name": "x", "switch": 1}, "switch must be of type bool"),
        ({"name": "x", "inner": {"kind": "c"}}, "one of a, b"),
        ({"name": "x", "inner": {"pair": [1]}}, "must have 2 values"),
        ({"name": "x", "inner": {"some": [1.5]}}, "inner.some[0] must be of type int"),
        ({"name": "x", "inner": 5}, "inner must be a mapping"),
        ({"name": "x", "table": {"real": 5}}, "table.real must be of type str"),
        ({}, "name"),
    ],
)
def test_wrong_values_are_named_by_their_path(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Outer, values)
    assert words in str(caught.value)


def test_overrides_leave_the_original_alone_and_read_yaml() -> None:
    values = {"inner": {"rate": 1.0}}
    changed = apply_overrides(values, ["inner.rate=2e-3", "name=x", "inner.some=[1, 2]"])
    assert changed == {"inner": {"rate": "2e-3", "some": [1, 2]}, "name": "x"}
    assert build(Outer, changed).inner.rate == 2e-3
    assert values == {"inner": {"rate": 1.0}}


@pytest.mark.parametrize("recipe", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_every_recipe_is_legal_and_survives_being_saved(recipe: str, tmp_path: Path) -> None:
    folders = {"real": str(tmp_path), "syn": str(tmp_path)}
    config = resolve(recipe, mix="real:0.9,syn:0.1", folders=folders, overrides=[])
    path = tmp_path / "config.yaml"
    write_config(config, path)
    check_same_run(config, path)
    saved = yaml.safe_load(path.read_text())
    assert saved["data"]["frames"] == config.data.frames
    again = build(type(config), saved)
    assert asdict(again) == asdict(config)


def test_paper_recipe_holds_the_numbers_of_the_paper(tmp_path: Path) -> None:
    config = resolve("paper", mix="real:1", folders={"real": str(tmp_path)}, overrides=[])
    assert (config.data.frames, config.data.height, config.data.width) == (49, 480, 480)
    assert config.optimizer.lr == 4e-5
    assert config.data.flow.name == "raft_large"
    assert 64 * config.run.batch * config.run.accumulate == 256


def test_resumed_run_may_change_how_it_runs_but_not_what_it_computes(tmp_path: Path) -> None:
    def config(*overrides: str) -> object:
        folders = {"real": str(tmp_path)}
        return resolve("tiny_cpu", mix="real:1", folders=folders, overrides=list(overrides))

    path = tmp_path / "config.yaml"
    write_config(config(), path)  # type: ignore[arg-type]
    for free in (
        "steps=99",
        "run.workers=2",
        "run.checkpoint_every=1",
        "data.skip_broken=true",
        "run.batch=3",
    ):
        check_same_run(config(free), path)  # type: ignore[arg-type]
    for fixed in (
        "seed=1",
        "run.precision=bf16",
        "optimizer.lr=1",
        "data.frames=9",
        "loss.drop_text=0",
    ):
        with pytest.raises(ConfigError, match=fixed.split("=")[0]):
            check_same_run(config(fixed), path)  # type: ignore[arg-type]

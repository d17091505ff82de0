"""Build the whole library: every recipe, the light rigs and the character, then the catalogue."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..catalog import Catalog
from ..entry import Entry
from .assemble import write_recipe
from .finishes import FinishShelf
from .furniture.recipe import Recipe, load_recipes
from .light_rigs import LIGHT_RIGS, write_light_rig
from .share_files import share_equal_files

__all__ = ["PRESETS", "build_library", "recipes"]

PRESETS = ("quickstart", "full")
Progress = Callable[[int, int, str], None]
Job = tuple[str, Callable[[], Entry]]


def recipes(preset: str = "full") -> list[Recipe]:
    """The furniture recipes of a preset, in the order of the catalogue."""
    return [recipe for recipe in load_recipes() if preset == "full" or recipe.quickstart]


def build_library(
    out: Path,
    preset: str = "full",
    progress: Progress | None = None,
    captures: Mapping[str, Path] | None = None,
) -> Catalog:
    """Write the built-in library to `out` and return its catalogue.

    Args:
        out: folder for ``catalog.yaml`` and the packages ``<category>/<id>/``.
        preset: "quickstart" (20 everyday categories with two shapes and two looks each, one
            character) or "full" (everything).
        captures: further motions of the character, variant name -> BVH file.
        progress: called as (done, total, name) before each asset and once at the end.

    A catalogue that the folder has already keeps its entries and what it pins, see `Catalog.merge`.
    The same preset gives the same files, byte for byte. Equal textures of different packages are
    hard links of one file; each package still holds all that it needs.

    Raises:
        ValueError: for an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "catalog.yaml"
    catalog = Catalog.load(path) if path.exists() else Catalog([], out)
    with tempfile.TemporaryDirectory(prefix="library-textures-") as folder:
        jobs = _jobs(out, preset, FinishShelf(Path(folder)), captures or {})
        for index, (name, job) in enumerate(jobs):
            if progress is not None:
                progress(index, len(jobs), name)
            catalog.merge(job())
    if progress is not None:
        progress(len(jobs), len(jobs), "catalogue")
    share_equal_files(out.glob("*/*/textures/*"))
    catalog.save(path)
    return catalog


def _jobs(out: Path, preset: str, shelf: FinishShelf, captures: Mapping[str, Path]) -> list[Job]:
    limit = 2 if preset == "quickstart" else None
    jobs: list[Job] = [
        (recipe.id, partial(write_recipe, recipe, shelf, out, limit)) for recipe in recipes(preset)
    ]
    jobs += [(rig.id, partial(write_light_rig, rig, out)) for rig in LIGHT_RIGS]
    jobs.append(("person", partial(_person, out, preset, shelf, captures)))
    return jobs


def _person(out: Path, preset: str, shelf: FinishShelf, captures: Mapping[str, Path]) -> Entry:
    from .characters.motions import MOTIONS
    from .characters.person import write_person

    folder = out / "character" / "person"
    if preset == "full":
        return write_person(folder, shelf, library_root=out, captures=captures)
    return write_person(
        folder,
        shelf,
        library_root=out,
        bodies=("man_average", "woman_average", "woman_curvy", "man_athletic", "woman_slim"),
        outfits=("tee_jeans", "shirt_trousers", "dress", "sweater_chinos", "shirt_skirt"),
        hair=("short", "bob", "ponytail", "side_part"),
        motions={name: MOTIONS[name] for name in ("idle", "walk", "walk_circle", "wave", "sit")},
        looks=("autumn", "navy", "fresh", "earth"),
        captures=captures,
    )

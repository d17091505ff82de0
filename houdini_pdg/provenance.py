"""Mint a scene again, alone, from nothing but its own file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .graph import SCENE_STAGES
from .plan import Plan
from .spec import MintSpec, apply_overrides, parse_spec


@dataclass(frozen=True)
class Request:
    """What a scene file was made from: the whole spec, the scene's number in it, the hashes."""

    spec: MintSpec
    index: int
    hashes: dict[str, str]


def read_request(path: Path, overrides: tuple[str, ...] = ()) -> Request:
    """Read the request that a scene file carries.

    Paths in it are relative to the data set that the file lies in (``DATA/scenes/<scene>.h5``);
    when the file or a library has moved, ``libraries=[/new/place/catalog.yaml]`` among the
    overrides says where it is.

    Raises:
        ValueError: not a scene file of this generator, or an override does not fit.
    """
    from scaling4d.storage.scene_file import open_scene

    with open_scene(path) as scene:
        request = scene.scene.get("request")
    if not isinstance(request, dict) or "spec" not in request:
        raise ValueError(f"{path} does not say what it was made from: another program wrote it")
    values = dict(request["spec"])
    apply_overrides(values, overrides)
    spec = parse_spec(values, folder=path.resolve().parent.parent)
    return Request(spec, int(request["index"]), dict(request["hashes"]))


def first_difference(request: Request, plan: Plan) -> str | None:
    """Name of the first stage that will not come out as in the file, or None when all will."""
    now, then = plan.scenes[request.index].hashes, request.hashes
    names = (stage.name for stage in SCENE_STAGES)
    return next((name for name in names if now[name] != then.get(name)), None)

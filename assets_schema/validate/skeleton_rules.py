"""S4D5xx: skeletons, skin weights and motions."""

from __future__ import annotations

import numpy as np
from pxr import Usd, UsdSkel

from assets_schema.schema import read_motion

from .asset import AssetUnderTest

_RADIUS_SLACK = 0.02  # metres


def check_skeletons(asset: AssetUnderTest) -> None:
    """Bind poses, joint orders, skin weights and animation ranges below the default prim."""
    predicate = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
    cache = UsdSkel.Cache()
    for prim in Usd.PrimRange(asset.stage.GetDefaultPrim(), predicate):
        root = UsdSkel.Root(prim)
        if not root:
            continue
        cache.Populate(root, predicate)
        for binding in cache.ComputeSkelBindings(root, predicate):
            skeleton = binding.GetSkeleton()
            joints = len(skeleton.GetJointsAttr().Get() or [])
            if asset.first_time("skeleton", _stack(skeleton.GetPrim())):
                _check_bind(asset, skeleton, joints)
            _check_animation(asset, cache.GetSkelQuery(skeleton), skeleton)
            for query in binding.GetSkinningTargets():
                mesh = query.GetPrim()
                if asset.first_time("skin", _stack(mesh), joints):
                    _check_skin(asset, mesh, query, joints)
    if asset.entry.kind == "character":
        _check_motion(asset)


def _stack(prim: Usd.Prim) -> tuple[str, ...]:
    return tuple(f"{spec.layer.identifier}{spec.path}" for spec in prim.GetPrimStack())


def _check_bind(asset: AssetUnderTest, skeleton: UsdSkel.Skeleton, joints: int) -> None:
    path = str(skeleton.GetPath())
    for name, attribute in (
        ("bindTransforms", skeleton.GetBindTransformsAttr()),
        ("restTransforms", skeleton.GetRestTransformsAttr()),
    ):
        count = len(attribute.Get() or [])
        if count != joints:
            asset.report("S4D501", f"{name} are {count} for {joints} joints", path)


def _check_skin(
    asset: AssetUnderTest, mesh: Usd.Prim, query: UsdSkel.SkinningQuery, joints: int
) -> None:
    binding = UsdSkel.BindingAPI(mesh)
    weights = binding.GetJointWeightsPrimvar()
    indices = binding.GetJointIndicesPrimvar()
    if not weights or not indices:
        return
    path = str(mesh.GetPath())
    size = max(weights.GetElementSize(), 1)
    values = np.array(weights.Get() or [], np.float64)
    if len(values) % size == 0 and len(values):
        worst = float(np.abs(values.reshape(-1, size).sum(axis=1) - 1).max())
        if not worst <= 1e-3:  # NaN too
            asset.report("S4D503", f"weights of a point sum to one only within {worst:.3g}", path)
    local = query.GetJointOrder()
    count = len(local) if local else joints
    numbers = np.array(indices.Get() or [0], np.int64)
    if numbers.min() < 0 or numbers.max() >= count:
        asset.report(
            "S4D504", f"indices run from {numbers.min()} to {numbers.max()}, joints: {count}", path
        )


def _check_animation(
    asset: AssetUnderTest, query: UsdSkel.SkeletonQuery, skeleton: UsdSkel.Skeleton
) -> None:
    animation = query.GetAnimQuery() if query else None
    if not animation:
        return
    path = str(animation.GetPrim().GetPath())
    known = set(skeleton.GetJointsAttr().Get() or [])
    strange = [joint for joint in animation.GetJointOrder() if joint not in known]
    if strange:
        message = f"{len(strange)} joints are not in the skeleton, first {strange[0]!r}"
        asset.report("S4D502", message, path)
    motion = read_motion(asset.stage.GetDefaultPrim())
    times = animation.GetJointTransformTimeSamples()
    if motion is not None and times and not times[0] <= motion.start <= motion.end <= times[-1]:
        asset.report(
            "S4D505",
            f"samples span {times[0]:g}..{times[-1]:g}, "
            f"the motion declares {motion.start:g}..{motion.end:g}",
            path,
        )


def _check_motion(asset: AssetUnderTest) -> None:
    if "motion" not in asset.selection:
        return
    path = str(asset.stage.GetDefaultPrim().GetPath())
    motion = read_motion(asset.stage.GetDefaultPrim())
    if motion is None:
        asset.report("S4D507", f"motion {asset.selection['motion']!r} has no motionRange", path)
        return
    sweep = asset.sweep()
    if sweep is None:
        return
    reach = sweep[1]
    if not reach <= motion.swept_radius + _RADIUS_SLACK:
        asset.report(
            "S4D506",
            f"the body reaches {reach:.3f} m, the motion declares {motion.swept_radius:.3f} m",
            path,
        )

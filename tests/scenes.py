"""Analytic test scenes: closed-form depth, colour, correspondence and visibility, any pinhole.

The oracle of the geometry tests. It is written from the ray equations alone and imports nothing of
the project, so that agreement with it means something. numpy and float64 throughout; world z up,
metres, OpenCV camera axes, pixel centres at half steps, planar depth, +inf where nothing is hit.

    from tests.scenes import SCENES, Camera, moving_box

    scene = moving_box()                 # or plane(), occluder(), sphere(), room(), SCENES[...]
    source = Camera.look_at(48, 64, eye=(0, -4, 1.5), target=(0, 0, 0.5), fov=60)
    target = Camera.look_at(48, 64, eye=(1, -4, 1.5), target=(0, 0, 0.5), fov=60)
    depth = scene.depth(0.0, source)          # (48, 64) at time 0 s
    image = scene.rgb(0.0, source)            # (48, 64, 3) uint8
    match = scene.correspondence(0.0, source, 0.5, target)
    match.displacement                        # (48, 64, 2) pixels (x, y), on the source grid
    match.target_depth                        # (48, 64) planar depth of that point in the target
    match.visible                             # (48, 64) in the target frame and not hidden
    clip = scene.clip(source.orbit(9, yaw=20, pivot=(0, 0, 0.5)), fps=8)
    clip.rgb, clip.depth, clip.intrinsics, clip.world_from_camera     # (T, ...) stacks

`displacement` is defined wherever the moved point lies in front of the target camera (nan behind
it); points at infinity follow the rotation alone and have target depth +inf.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

Array = np.ndarray
_TIE = 1e-7  # relative depth within which a ray cast back counts as having met the same point


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: image size, (3, 3) intrinsics in pixels, (4, 4) world_from_camera."""

    height: int
    width: int
    intrinsics: Array
    world_from_camera: Array

    @classmethod
    def look_at(
        cls,
        height: int,
        width: int,
        *,
        eye: Sequence[float],
        target: Sequence[float],
        fov: float = 60.0,
    ) -> Camera:
        """Camera with z up in the image and a horizontal field of view ``fov`` in degrees."""
        forward = _unit(np.subtract(target, eye).astype(float))
        right = _unit(np.cross(forward, (0.0, 0.0, 1.0)))
        pose = np.eye(4)
        pose[:3, :3] = np.stack((right, np.cross(forward, right), forward), axis=1)
        pose[:3, 3] = eye
        focal = 0.5 * width / np.tan(np.radians(fov) / 2)
        intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        return cls(height, width, intrinsics, pose)

    def moved(self, camera_from_moved: Array) -> Camera:
        """The camera after a motion expressed in its own frame."""
        return replace(self, world_from_camera=self.world_from_camera @ camera_from_moved)

    def orbit(self, frames: int, *, yaw: float, pivot: Sequence[float]) -> list[Camera]:
        """Cameras on a circle about the vertical line through ``pivot``, 0 to ``yaw`` degrees."""
        cameras = []
        for angle in np.radians(np.linspace(0.0, yaw, frames)):
            turn = rigid(rotation_z(angle), np.asarray(pivot, float) - rotation_z(angle) @ pivot)
            cameras.append(replace(self, world_from_camera=turn @ self.world_from_camera))
        return cameras

    def pixel_centers(self) -> Array:
        """(H, W, 2) positions (x, y)."""
        rows, columns = np.mgrid[: self.height, : self.width]
        return np.stack((columns + 0.5, rows + 0.5), axis=-1)

    def rays(self, xy: Array) -> tuple[Array, Array]:
        """Origin (3,) and world directions (..., 3) scaled so that depth is the parameter."""
        homogeneous = np.concatenate((xy, np.ones_like(xy[..., :1])), axis=-1)
        in_camera = homogeneous @ np.linalg.inv(self.intrinsics).T
        return self.world_from_camera[:3, 3], in_camera @ self.world_from_camera[:3, :3].T

    def project(self, points_in_world: Array) -> tuple[Array, Array]:
        """Positions (..., 2) and planar depth (...,); nan positions behind the camera."""
        camera_from_world = np.linalg.inv(self.world_from_camera)
        return self._project(
            points_in_world @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
        )

    def project_directions(self, directions: Array) -> Array:
        """Positions (..., 2) of points at infinity in the given world directions."""
        return self._project(directions @ self.world_from_camera[:3, :3])[0]

    def _project(self, points: Array) -> tuple[Array, Array]:
        z = points[..., 2]
        in_front = z > 0
        image = (points / np.where(in_front, z, np.nan)[..., None]) @ self.intrinsics.T
        return image[..., :2], z

    def holds(self, xy: Array) -> Array:
        """Whether positions lie inside the image, [0, W) x [0, H)."""
        x, y = xy[..., 0], xy[..., 1]
        with np.errstate(invalid="ignore"):
            return (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)


class Shape(Protocol):
    """A surface in its own frame."""

    def intersect(self, origin: Array, directions: Array) -> Array:
        """Smallest parameter > 0 at which origin + parameter * direction meets it, else +inf."""


@dataclass(frozen=True)
class Rectangle:
    """Part |x| <= half_width, |y| <= half_height of the plane z = 0; infinite by default."""

    half_width: float = np.inf
    half_height: float = np.inf

    def intersect(self, origin: Array, directions: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            parameter = -origin[..., 2] / directions[..., 2]
            x = origin[..., 0] + parameter * directions[..., 0]
            y = origin[..., 1] + parameter * directions[..., 1]
            hit = (parameter > 0) & np.isfinite(parameter)
            hit &= (np.abs(x) <= self.half_width) & (np.abs(y) <= self.half_height)
        return np.where(hit, parameter, np.inf)


@dataclass(frozen=True)
class Ball:
    """Sphere of a radius about the origin."""

    radius: float

    def intersect(self, origin: Array, directions: Array) -> Array:
        a = np.sum(directions**2, axis=-1)
        b = np.sum(origin * directions, axis=-1)
        c = np.sum(origin**2, axis=-1) - self.radius**2
        discriminant = b * b - a * c
        root = np.sqrt(np.maximum(discriminant, 0.0))
        # The stable form of the quadratic: no difference of nearly equal numbers.
        q = -(b + np.where(b >= 0, root, -root))
        with np.errstate(divide="ignore", invalid="ignore"):
            first, second = np.sort(np.stack((q / a, c / q)), axis=0)
        parameter = np.where(first > 0, first, second)
        return np.where((discriminant >= 0) & (parameter > 0), parameter, np.inf)


@dataclass(frozen=True)
class Box:
    """Axis-aligned box of half extents about the origin; seen from inside it is a room."""

    half_extents: tuple[float, float, float]

    def intersect(self, origin: Array, directions: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            near_far = np.stack(
                [(side * np.asarray(self.half_extents) - origin) / directions for side in (-1, 1)]
            )
            entry = np.nanmax(near_far.min(axis=0), axis=-1)
            leave = np.nanmin(near_far.max(axis=0), axis=-1)
            parameter = np.where(entry > 0, entry, leave)
            return np.where((entry <= leave) & (parameter > 0), parameter, np.inf)


@dataclass(frozen=True)
class Body:
    """A shape with a motion and a solid texture that moves with it.

    Attributes:
        shape: the surface in the body's frame.
        world_from_body: (4, 4) pose at time 0.
        velocity: metres per second in the world.
        spin: radians per second about the body's own z axis.
        wavelength: longest period of the texture in metres; three octaves follow below it.
        tint: mean colour, 0..1.
    """

    shape: Shape
    world_from_body: Array = field(default_factory=lambda: np.eye(4))
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin: float = 0.0
    wavelength: float = 1.2
    tint: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def pose(self, time: float) -> Array:
        """world_from_body at a time in seconds."""
        moved = self.world_from_body @ rigid(rotation_z(self.spin * time), np.zeros(3))
        moved[:3, 3] += np.multiply(self.velocity, time)
        return moved

    def color(self, points_in_body: Array) -> Array:
        """Colour (..., 3) in 0..1 of points on the body: octaves of waves in fixed directions."""
        generator = np.random.Generator(np.random.PCG64(7))
        waves = np.zeros(points_in_body.shape)
        for octave in range(4):
            for _ in range(4):
                direction = _unit(generator.normal(size=3)) * (2 * np.pi / self.wavelength)
                phase = generator.uniform(0, 2 * np.pi) + generator.normal(scale=0.4, size=3)
                argument = points_in_body @ direction * 2.0**octave
                waves += 0.75**octave * np.sin(argument[..., None] + phase)
        return np.clip(np.asarray(self.tint) + 0.1 * waves, 0.0, 1.0)


@dataclass(frozen=True)
class Hit:
    """What the rays met: depth (...,), body index (-1: none), points and rgb (..., 3)."""

    depth: Array
    body: Array
    points_in_world: Array
    points_in_body: Array
    rgb: Array


@dataclass(frozen=True)
class Correspondence:
    """Where each source pixel is found in the target: see the module's docstring."""

    displacement: Array
    target_depth: Array
    visible: Array


@dataclass(frozen=True)
class Clip:
    """Rendered frames, stacked: rgb uint8 (T,H,W,3), depth (T,H,W), intrinsics and poses."""

    rgb: Array
    depth: Array
    intrinsics: Array
    world_from_camera: Array
    cameras: tuple[Camera, ...]
    times: Array


@dataclass(frozen=True)
class Scene:
    """Bodies in front of a plain sky."""

    bodies: tuple[Body, ...]
    sky: tuple[float, float, float] = (0.55, 0.7, 0.9)

    def trace(self, time: float, camera: Camera, xy: Array | None = None) -> Hit:
        """Cast rays through image positions ``xy`` (..., 2), by default every pixel centre."""
        xy = camera.pixel_centers() if xy is None else xy
        origin, directions = camera.rays(xy)
        depths = np.stack([_cast(body, time, origin, directions) for body in self.bodies])
        nearest = depths.argmin(axis=0)
        depth = np.take_along_axis(depths, nearest[None], axis=0)[0]
        nearest = np.where(np.isfinite(depth), nearest, -1)
        points_in_world = np.full(directions.shape, np.nan)
        points_in_body = np.full(directions.shape, np.nan)
        rgb = np.broadcast_to(self.sky, directions.shape).copy()
        for index, body in enumerate(self.bodies):
            mine = nearest == index
            world = origin + depth[mine][:, None] * directions[mine]
            points_in_world[mine] = world
            points_in_body[mine] = _apply(np.linalg.inv(body.pose(time)), world)
            rgb[mine] = body.color(points_in_body[mine])
        return Hit(depth, nearest, points_in_world, points_in_body, rgb)

    def depth(self, time: float, camera: Camera) -> Array:
        """Planar depth (H, W) at pixel centres, +inf where nothing is hit."""
        return self.trace(time, camera).depth

    def rgb(self, time: float, camera: Camera, samples: int = 1) -> Array:
        """Image (H, W, 3) uint8; ``samples`` squared rays per pixel, 1 is the pixel centre."""
        centers = camera.pixel_centers()
        offsets = (np.arange(samples) + 0.5) / samples - 0.5
        shifts = [np.array((x, y)) for y in offsets for x in offsets]
        mean = np.mean([self.trace(time, camera, centers + shift).rgb for shift in shifts], axis=0)
        return np.round(255 * mean).astype(np.uint8)

    def correspondence(
        self, source_time: float, source: Camera, target_time: float, target: Camera
    ) -> Correspondence:
        """Follow every source pixel's surface point to the target's time and camera."""
        hit = self.trace(source_time, source)
        moved = np.full(hit.points_in_body.shape, np.nan)
        for index, body in enumerate(self.bodies):
            mine = hit.body == index
            moved[mine] = _apply(body.pose(target_time), hit.points_in_body[mine])
        xy, target_depth = target.project(moved)
        sky = hit.body < 0
        xy[sky] = target.project_directions(source.rays(source.pixel_centers())[1][sky])
        target_depth[sky] = np.inf
        visible = target.holds(xy)
        first_met = self.trace(target_time, target, xy[visible]).depth
        visible[visible] = first_met >= target_depth[visible] * (1 - _TIE)
        return Correspondence(xy - source.pixel_centers(), target_depth, visible)

    def clip(self, cameras: Sequence[Camera], *, fps: float = 8.0, samples: int = 1) -> Clip:
        """Render camera i at time i / fps."""
        times = np.arange(len(cameras)) / fps
        return Clip(
            np.stack([self.rgb(t, c, samples) for t, c in zip(times, cameras, strict=True)]),
            np.stack([self.depth(t, c) for t, c in zip(times, cameras, strict=True)]),
            np.stack([camera.intrinsics for camera in cameras]),
            np.stack([camera.world_from_camera for camera in cameras]),
            tuple(cameras),
            times,
        )


def plane(distance: float = 4.0, tilt_degrees: float = 20.0) -> Scene:
    """An endless wall ``distance`` metres ahead of the origin along +y, leaning by an angle."""
    return Scene((_wall((0.0, distance, 0.0), tilt_degrees, Rectangle(), (0.5, 0.5, 0.5)),))


def occluder(near: float = 3.0, far: float = 6.0) -> Scene:
    """A 1.6 x 1.2 m card at +y = ``near`` in front of an endless upright wall at +y = ``far``."""
    card = _wall((0.0, near, 0.0), 0.0, Rectangle(0.8, 0.6), (0.75, 0.4, 0.3))
    return Scene((_wall((0.0, far, 0.0), 0.0, Rectangle(), (0.4, 0.5, 0.6)), card))


def sphere(radius: float = 1.0, distance: float = 4.0) -> Scene:
    """A ball at +y = ``distance`` before the sky: most pixels are at infinity."""
    return Scene((Body(Ball(radius), rigid(np.eye(3), (0.0, distance, 0.0))),))


def moving_box(speed: float = 0.4, spin_degrees: float = 30.0) -> Scene:
    """A box that slides along +x and turns about z on a floor at z = -1, the sky behind."""
    pose = rigid(rotation_z(0.4), (-0.4, 4.0, -0.4))
    box = Body(
        Box((0.7, 0.5, 0.6)),
        pose,
        velocity=(speed, 0.0, 0.0),
        spin=np.radians(spin_degrees),
        tint=(0.7, 0.45, 0.35),
    )
    floor = Body(Rectangle(), rigid(np.eye(3), (0.0, 0.0, -1.0)), tint=(0.45, 0.5, 0.45))
    return Scene((floor, box))


def room(half_extents: tuple[float, float, float] = (3.0, 4.0, 1.5)) -> Scene:
    """The inside of a box about the origin with a ball in it: every pixel has a finite depth."""
    ball = Body(Ball(0.6), rigid(np.eye(3), (0.3, 1.5, -0.7)), tint=(0.75, 0.4, 0.35))
    return Scene((Body(Box(half_extents)), ball))


SCENES: dict[str, Callable[[], Scene]] = {
    "plane": plane,
    "occluder": occluder,
    "sphere": sphere,
    "moving_box": moving_box,
    "room": room,
}
STATIC_SCENES = ("plane", "occluder", "sphere", "room")


def default_camera(height: int = 48, width: int = 64, fov: float = 60.0) -> Camera:
    """Camera at the origin that looks along +y: it sees something in every scene here."""
    return Camera.look_at(height, width, eye=(0, 0, 0), target=(0, 1, 0), fov=fov)


def rotation_z(angle: float) -> Array:
    """(3, 3) rotation by an angle in radians about +z."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def rigid(rotation: Array, translation: Sequence[float] | Array) -> Array:
    """(4, 4) matrix of a rotation and a translation."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation
    return matrix


def _wall(
    center: tuple[float, float, float],
    tilt_degrees: float,
    shape: Rectangle,
    tint: tuple[float, float, float],
) -> Body:
    """Upright rectangle that faces -y, its x axis along +x and its y axis up."""
    angle = np.radians(90.0 + tilt_degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation_x = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    return Body(shape, rigid(rotation_x, center), tint=tint)


def _cast(body: Body, time: float, origin: Array, directions: Array) -> Array:
    body_from_world = np.linalg.inv(body.pose(time))
    return body.shape.intersect(
        _apply(body_from_world, origin), directions @ body_from_world[:3, :3].T
    )


def _apply(matrix: Array, points: Array) -> Array:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)

"""Render one job with Cycles. This script is run as its own process and is never imported.

Blender's ``bpy`` is under the GPL and carries its own copy of USD, so it must share a process
neither with the Apache-licensed rest of this project nor with ``usd-core``: the parent
(`houdini_pdg.render.cycles`) starts ``python cycles_worker.py job.json`` and reads the frames that
this script leaves, each written under a temporary name and renamed when whole. Frames that exist
are skipped, so a killed job goes on where it stopped.

Two passes per frame and camera:

* colour: many samples, the usual pixel filter, denoised, 8-bit sRGB;
* geometry: one sample through the pixel centre (a box filter 0.01 pixels wide), 32-bit planar z and
  object index. Z of the colour pass would hold one *jittered* sample.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix  # type: ignore[import-not-found]  # inside the bpy wheel

GPU_BACKENDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
MANY_LIGHTS = 16
CANNOT = "@cannot"  # what this machine can never do; the parent does not try again
PROGRESS = "@frame"  # the parent counts lines that start with this word


def main() -> int:
    die_with_parent()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    pending = [
        task for task in tasks(job) if not task["colour"].exists() or not task["geometry"].exists()
    ]
    if not pending:
        return 0
    scene = import_stage(job)
    set_sky(scene, job["sky"])
    for index, light in enumerate(job["lights"]):
        add_light(scene, index, light)
    configure_device(scene, job["settings"])
    camera = add_camera(scene)
    for task in pending:
        started = time.perf_counter()
        place_camera(scene, camera, job, task)
        scene.frame_set(task["frame"] + job["start"])
        if not task["geometry"].exists():
            configure_geometry(scene)
            render_to(scene, task["geometry"])
        if not task["colour"].exists():
            configure_colour(scene, job, task)
            render_to(scene, task["colour"])
        seconds = time.perf_counter() - started
        say(f"{PROGRESS} {task['camera']} {task['frame']} {seconds:.3f}")
    return 0


def say(text: str) -> None:
    """Write a line that the parent reads at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def die_with_parent() -> None:
    """Ask Linux to end this process when the process that started it dies."""
    if sys.platform.startswith("linux"):
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() == 1 and "HOUDINI_PDG_PARENT" in os.environ:
            sys.exit("the process that asked for this render is gone")


def tasks(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Every frame of every camera; cameras inside frames, so animated meshes are read once."""
    out = Path(job["out"])
    return [
        {
            "camera": name,
            "frame": frame,
            "colour": out / name / f"rgb.{frame:04d}.png",
            "geometry": out / name / f"geometry.{frame:04d}.exr",
        }
        for frame in range(job["frames"])
        for name in job["cameras"]
    ]


def import_stage(job: dict[str, Any]) -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.usd_import(
        filepath=job["stage"],
        import_cameras=False,
        import_lights=False,  # set below in the units that UsdLux defines
        import_subdiv=True,
        support_scene_instancing=False,  # instances of a collection would share one object index
        merge_parent_xform=False,  # keeps the prims that carry the ids
        set_frame_range=False,
        create_world_material=False,
    )
    scene = bpy.context.scene
    for thing in scene.objects:
        thing.pass_index = instance_of(thing)
        if thing.type == "MESH" and is_faceted(thing):
            thing.data.shade_flat()  # Blender imports every mesh smooth
    return scene


def is_faceted(thing: Any) -> bool:
    """Polygons without authored normals; subdivision surfaces have none and are smooth."""
    subdivided = any(modifier.type == "SUBSURF" for modifier in thing.modifiers)
    return not subdivided and not thing.data.has_custom_normals


def instance_of(thing: Any) -> int:
    """Number of the nearest prim above that carries one; of a mesh prim it is on the mesh data."""
    while thing is not None:
        for place in (thing, thing.data):
            if place is not None and "scaling4d_id" in place:
                return int(place["scaling4d_id"])
        thing = thing.parent
    return 0


def set_sky(scene: Any, sky: dict[str, Any]) -> None:
    """Constant radiance, or a latitude-longitude image multiplied by it; no dome light is black."""
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = nodes["Background"]
    background.inputs["Color"].default_value = (*sky["radiance"], 1.0)
    background.inputs["Strength"].default_value = 1.0
    if sky["texture"]:
        image = nodes.new("ShaderNodeTexEnvironment")
        image.image = bpy.data.images.load(sky["texture"])
        mapping = nodes.new("ShaderNodeMapping")
        mapping.inputs["Rotation"].default_value = (0.0, 0.0, sky["turn"])
        position = nodes.new("ShaderNodeTexCoord")
        tint = nodes.new("ShaderNodeMixRGB")
        tint.blend_type = "MULTIPLY"
        tint.inputs["Fac"].default_value = 1.0
        tint.inputs["Color2"].default_value = (*sky["radiance"], 1.0)
        links.new(position.outputs["Generated"], mapping.inputs["Vector"])
        links.new(mapping.outputs["Vector"], image.inputs["Vector"])
        links.new(image.outputs["Color"], tint.inputs["Color1"])
        links.new(tint.outputs["Color"], background.inputs["Color"])


def add_light(scene: Any, index: int, light: dict[str, Any]) -> None:
    """Turn UsdLux radiance (irradiance for a distant light) into Blender's power in watts."""
    kind, colour = light["kind"], light["radiance"]
    peak = max(colour) or 1.0
    name = f"light_{index}"
    if kind == "distant":
        data = bpy.data.lights.new(name, "SUN")
        data.angle = light["angle"]
        data.energy = peak
    elif kind == "sphere":
        data = bpy.data.lights.new(name, "POINT")
        data.shadow_soft_size = light["radius"]
        data.energy = peak * 4 * math.pi**2 * light["radius"] ** 2
    else:
        data = bpy.data.lights.new(name, "AREA")
        data.shape = "RECTANGLE" if kind == "rect" else "DISK"
        if kind == "rect":
            data.size, data.size_y = light["width"], light["height"]
            area = light["width"] * light["height"]
        else:
            data.size = 2 * light["radius"]
            area = math.pi * light["radius"] ** 2
        data.energy = peak * math.pi * area
    data.color = [channel / peak for channel in colour]
    thing = bpy.data.objects.new(name, data)
    thing.matrix_world = Matrix(light["world_from_light"])
    thing.visible_camera = False  # a lamp's own disk has no depth, so RGB must not show it either
    scene.collection.objects.link(thing)


def add_camera(scene: Any) -> Any:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = 36.0
    data.clip_start, data.clip_end = 0.01, 1000.0
    camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def place_camera(scene: Any, camera: Any, job: dict[str, Any], task: dict[str, Any]) -> None:
    """Set pose and pinhole exactly; Blender's camera looks down -z with y up, ours is OpenCV's."""
    height, width = job["height"], job["width"]
    track = job["cameras"][task["camera"]]
    matrix = track["intrinsics"][task["frame"]]
    fx, fy, cx, cy = matrix[0][0], matrix[1][1], matrix[0][2], matrix[1][2]
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    # Blender takes the pixel's shape, not two focal lengths: y pixels are fx / fy times x pixels.
    render.pixel_aspect_x, render.pixel_aspect_y = max(1.0, fy / fx), max(1.0, fx / fy)
    camera.data.lens = fx * camera.data.sensor_width / width
    camera.data.shift_x = (width / 2 - cx) / width
    camera.data.shift_y = (cy - height / 2) / width * (fx / fy)
    pose = Matrix(track["world_from_camera"][task["frame"]])
    camera.matrix_world = pose @ Matrix.Diagonal((1.0, -1.0, -1.0, 1.0))


def configure_device(scene: Any, settings: dict[str, Any]) -> None:
    scene.render.engine = "CYCLES"
    scene.render.use_persistent_data = True
    if settings["threads"]:
        scene.render.threads_mode = "FIXED"
        scene.render.threads = settings["threads"]
    scene.cycles.device = "CPU"
    if settings["device"] != "gpu":
        return
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for backend in GPU_BACKENDS:
        try:
            preferences.compute_device_type = backend
        except TypeError:  # this build does not know the backend
            continue
        preferences.get_devices()
        found = [device for device in preferences.devices if device.type == backend]
        if found:
            for device in preferences.devices:
                device.use = device.type == backend
            scene.cycles.device = "GPU"
            say(f"rendering on {backend}: {', '.join(device.name for device in found)}")
            return
    what = "render.cycles.device is gpu, but Cycles finds none: install its driver or use cpu"
    say(f"{CANNOT} {what}")
    sys.exit(1)


def configure_colour(scene: Any, job: dict[str, Any], task: dict[str, Any]) -> None:
    settings, cycles = job["settings"], scene.cycles
    cycles.samples = settings["samples"]
    cycles.use_adaptive_sampling = False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    # One noise pattern per frame and camera; equal seeds would freeze the noise on the image.
    cameras = list(job["cameras"])
    number = task["frame"] * len(cameras) + cameras.index(task["camera"])
    cycles.seed = (job["seed"] + number) % (2**31 - 1)
    cycles.max_bounces = settings["bounces"]
    cycles.diffuse_bounces = cycles.glossy_bounces = settings["bounces"]
    cycles.transmission_bounces = cycles.transparent_max_bounces = max(4, settings["bounces"])
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = settings["clamp"]
    # Choosing among few lights by a tree costs a quarter of the frame and gains nothing.
    cycles.use_light_tree = len(job["lights"]) > MANY_LIGHTS
    cycles.use_denoising = settings["denoise"]
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    scene.render.use_motion_blur = settings["motion_blur"]
    scene.view_settings.view_transform = settings["view_transform"]
    scene.view_settings.look = "None"
    scene.view_settings.exposure = job["exposure"]
    scene.view_settings.gamma = 1.0
    scene.display_settings.display_device = "sRGB"
    scene.render.dither_intensity = 0.0
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_object_index = False
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth = "PNG", "RGB", "8"
    image.compression = 15


def configure_geometry(scene: Any) -> None:
    cycles = scene.cycles
    cycles.samples = 1
    cycles.use_adaptive_sampling = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    cycles.seed = 0
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 0
    cycles.transmission_bounces = cycles.transparent_max_bounces = 0
    cycles.use_denoising = False
    scene.render.use_motion_blur = False
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_object_index = True
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth = "OPEN_EXR_MULTILAYER", "RGB", "32"
    image.exr_codec = "ZIPS"


def render_to(scene: Any, path: Path) -> None:
    """Render and rename; a frame under its final name is a whole frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    scene.render.use_file_extension = False
    scene.render.filepath = str(partial)
    bpy.ops.render.render(write_still=True)
    if not partial.is_file() or partial.stat().st_size == 0:
        sys.exit(f"no frame could be written to {path}: is the disk full?")
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())

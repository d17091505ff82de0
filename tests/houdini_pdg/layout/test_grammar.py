"""The SpatialLM grammar: exact round trips, errors with a place, the reference's tolerance."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from houdini_pdg.layout.grammar import LayoutError, parse_layout, print_layout
from houdini_pdg.layout.model import Box, Layout, Opening, Wall

ROOM = """\
wall_0=Wall(0.0,0.0,0.0,4.0,0.0,0.0,2.8,0.0)
wall_1=Wall(4.0,0.0,0.0,4.0,3.0,0.0,2.8,0.0)
door_0=Door(wall_0,1.0,0.0,1.0,0.9,2.0)
window_0=Window(wall_1,4.0,1.5,1.5,1.2,1.2)
bbox_0=Bbox(coffee_table,2.0,1.5,0.2,-1.5708,1.1,0.6,0.4)
"""

number = st.floats(-50, 50, allow_nan=False).map(lambda v: v + 0.0)
positive = st.floats(0.01, 20)
word = st.from_regex(r"[a-z][a-z_-]{0,15}", fullmatch=True)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    walls = []
    for index in range(draw(st.integers(1, 4))):
        a, offset = draw(st.tuples(number, number, number)), draw(positive)
        b = (a[0] + offset, draw(number), draw(number))
        walls.append(Wall(f"wall_{index}", a, b, draw(positive), draw(st.floats(0, 1))))
    names = st.sampled_from([wall.name for wall in walls])
    point = st.tuples(number, number, number)
    openings = {
        kind: tuple(
            Opening(f"{kind}_{i}", draw(names), draw(point), draw(positive), draw(positive))
            for i in range(draw(st.integers(0, 3)))
        )
        for kind in ("door", "window")
    }
    boxes = tuple(
        Box(f"bbox_{i}", draw(word), draw(point), draw(st.floats(-7, 7)), (draw(positive),) * 3)
        for i in range(draw(st.integers(0, 4)))
    )
    return Layout(tuple(walls), openings["door"], openings["window"], boxes)


@given(layouts())
@settings(max_examples=60, deadline=None)
def test_parsing_what_was_printed_returns_the_same_layout(layout: Layout) -> None:
    text = print_layout(layout)
    assert parse_layout(text) == layout
    assert parse_layout(text, lenient=True) == layout
    assert print_layout(parse_layout(text)) == text


def test_fields_land_where_the_grammar_says() -> None:
    layout = parse_layout(ROOM)
    assert layout.walls[1] == Wall("wall_1", (4.0, 0.0, 0.0), (4.0, 3.0, 0.0), 2.8, 0.0)
    assert layout.doors[0] == Opening("door_0", "wall_0", (1.0, 0.0, 1.0), 0.9, 2.0)
    assert layout.windows[0].wall == "wall_1"
    box = layout.boxes[0]
    assert (box.category, box.angle_z, box.scale) == ("coffee_table", -1.5708, (1.1, 0.6, 0.4))
    assert box.front @ [-1.0, 0.0] == pytest.approx(1.0, abs=1e-5)  # local -y turned by -90 degrees


def test_the_order_of_lines_does_not_matter() -> None:
    reversed_text = "\n".join(reversed(ROOM.splitlines()))
    layout = parse_layout(reversed_text)
    assert set(layout.walls) == set(parse_layout(ROOM).walls)
    assert layout.doors == parse_layout(ROOM).doors


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("wall_0=Wall(0,0,0,1,0,0,2.8)", 13, "Wall takes 8 arguments .* got 7"),
        ("wall_0=Wall(0,0,0,1,0,0,2.8,0,5)", 13, "got 9"),
        ("wall_0=Wall(0,0,zero,1,0,0,2.8,0)", 17, "az must be a finite number, got 'zero'"),
        ("wall_0=Wall(0,0, nan,1,0,0,2.8,0)", 18, "az must be a finite number"),
        ("wall_0=Wall(1,2,0,1,2,0,2.8,0)", 19, "has no length"),
        ("wall_0=Wall(0,0,0,1,0,0,-2,0)", 25, "height must be positive"),
        ("bbox_0=Cube(bed,0,0,0,0,1,1,1)", 8, "unknown class Cube"),
        ("box=Bbox(bed,0,0,0,0,1,1,1)", 1, "named bbox_<number>"),
        ("bbox_0=Bbox(bed,0,0,0,0,1,-1,1)", 27, "scale_y must not be negative"),
        ("bbox_0=Bbox(,0,0,0,0,1,1,1)", 13, "class is empty"),
        ("bbox_0=Bbox(bed,0,0,0,0,1,1,1", 30, "expected name=Class"),
        ("door_0=Door(wall_7,0,0,0,1,2)", 13, "names the wall 'wall_7'"),
        ("just words", 5, "expected name=Class"),
    ],
)
def test_an_error_names_its_line_and_column(line: str, column: int, message: str) -> None:
    with pytest.raises(LayoutError, match=message) as caught:
        parse_layout("\nwall_9=Wall(0,0,0,1,0,0,2.8,0)\n" + line)
    assert (caught.value.line, caught.value.column) == (3, column)
    assert f"line 3, column {column}" in str(caught.value)


def test_a_name_used_twice_is_an_error() -> None:
    line = "bbox_0=Bbox(bed,0,0,0,0,1,1,1)\n"
    with pytest.raises(LayoutError, match="bbox_0 is used twice"):
        parse_layout(line * 2)


def test_lenient_mode_keeps_all_that_can_be_read_and_logs_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = ROOM + "\n".join(
        [
            "Here is the layout:",
            "bbox_1=Bbox(dining table,0,0,0.4,0,-1.2,0.8,0.75,extra)",
            "bbox_2=Bbox(carpet,0,0,0,0,2.0,1.4,0.0)",
            "bbox_3=Bbox(bed,0,0,oops,0,1,1,1)",
            "door_1=Door(wall_99,0,0,1,0.9,2)",
            "bbox_0=Bbox(sofa,3,3,0.4,0,1.8,0.9,0.8)",
        ]
    )
    with caplog.at_level(logging.WARNING):
        layout = parse_layout(text, lenient=True)
    assert [box.category for box in layout.boxes] == [
        "coffee_table",
        "dining_table",
        "carpet",
        "sofa",
    ]
    assert len({box.name for box in layout.boxes}) == 4
    assert layout.boxes[1].scale == (1.2, 0.8, 0.75)
    assert len(layout.doors) == 1
    assert len(caplog.records) == 3
    assert parse_layout(print_layout(layout)) == layout

"""Equal files are stored once and stay readable under every name."""

from __future__ import annotations

from assets_schema.library.share_files import share_equal_files


def test_equal_files_share_a_copy_and_different_ones_do_not(tmp_path) -> None:
    names = {"a/oak.png": b"oak" * 100, "b/oak.png": b"oak" * 100, "b/ash.png": b"ash" * 100}
    for name, content in names.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert share_equal_files(tmp_path.glob("*/*")) == 300
    assert (tmp_path / "a/oak.png").samefile(tmp_path / "b/oak.png")
    assert not (tmp_path / "b/ash.png").samefile(tmp_path / "b/oak.png")
    assert {name: (tmp_path / name).read_bytes() for name in names} == names
    assert share_equal_files(tmp_path.glob("*/*")) == 0
    assert len(list(tmp_path.glob("*/*"))) == 3


def test_without_hard_links_the_copies_stay(tmp_path, monkeypatch, caplog) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
    assert share_equal_files(tmp_path.iterdir()) == 0
    assert "no links here" in caplog.text
    assert (tmp_path / "b").read_bytes() == b"same"

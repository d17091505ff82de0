"""`push_to_hub` and loading by hub id, against a small server that speaks the hub's protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
import torch

from scaling4d.models import ModelConfig, VNVSModel
from scaling4d.models.errors import MissingWeightsError

TINY = {"backbone": {"options": {"dim": 32, "heads": 2}}, "projector": {"width": 16}}
REPOSITORY = "someone/views"
COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """Keeps one repository in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.private: bool | None = None
        self.files: dict[str, bytes] = {}


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Authorization"] == "Bearer hf_test"
        if self.path == "/api/repos/create":
            wanted = json.loads(body)
            if f"{wanted['organization']}/{wanted['name']}" != REPOSITORY:
                self.send_error(403)
                return
            self.server.private = wanted.get("private") or wanted.get("visibility") == "private"
            self.reply({"url": f"{self.server_url}/{REPOSITORY}"})
        elif self.path == f"/api/models/{REPOSITORY}/preupload/main":
            paths = [file["path"] for file in json.loads(body)["files"]]
            plain = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            self.reply({"files": [{"path": path, **plain} for path in paths]})
        elif self.path == f"/api/models/{REPOSITORY}/commit/main":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    self.server.files[value["path"]] = base64.b64decode(value["content"])
            url = f"{self.server_url}/{REPOSITORY}/commit/{COMMIT}"
            self.reply({"commitUrl": url, "commitOid": COMMIT, "success": True})
        elif self.path == "/api/validate-yaml":
            self.reply({"errors": [], "warnings": []})
        else:
            self.send_error(404)

    def do_GET(self) -> None:
        prefix = f"/{REPOSITORY}/resolve/{COMMIT}/"
        if self.path.startswith(f"/api/models/{REPOSITORY}/revision/main"):
            siblings = [{"rfilename": name} for name in self.server.files]
            self.reply({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings})
        elif self.path.startswith(f"/api/models/{REPOSITORY}/tree/{COMMIT}"):
            sizes = {name: len(content) for name, content in self.server.files.items()}
            kind = {"type": "file", "oid": "0" * 40}
            self.reply([{"path": name, "size": size, **kind} for name, size in sizes.items()])
        elif self.path.startswith(prefix):
            self.send_file(self.server.files[self.path.removeprefix(prefix)])
        else:
            self.send_error(404)

    do_HEAD = do_GET  # noqa: N815 -- the base class's name

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def send_file(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def reply(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    yield server
    server.shutdown()
    server.server_close()


def test_pushed_model_is_private_and_loads_by_its_hub_id(hub: Hub) -> None:
    model = VNVSModel.build(ModelConfig.from_dict(TINY), seed=5)
    model.push_to_hub(REPOSITORY)
    assert hub.private is True
    assert set(hub.files) == {"README.md", "config.json", "model.safetensors"}
    again = VNVSModel.from_pretrained(REPOSITORY)
    for (name, saved), (_, loaded) in zip(
        model.named_parameters(), again.named_parameters(), strict=True
    ):
        assert torch.equal(saved, loaded), name


def test_hub_that_refuses_or_lacks_the_model_says_what_to_do(hub: Hub) -> None:
    model = VNVSModel.build(ModelConfig.from_dict(TINY))
    with pytest.raises(MissingWeightsError, match=r"cannot upload to other/name.*hf auth login"):
        model.push_to_hub("other/name")
    with pytest.raises(MissingWeightsError, match="give a local folder, or a hub id"):
        VNVSModel.from_pretrained("other/name")

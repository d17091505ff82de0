"""The model hub, with errors that say what to do without a network."""

from __future__ import annotations

from pathlib import Path

from .errors import MissingWeightsError


def is_hub_id(text: str) -> bool:
    """Whether a text reads as owner/name and not as a path."""
    return text.count("/") == 1 and not text.startswith((".", "/", "~"))


def download(repository: str, files: list[str]) -> Path:
    """Fetch files of a repository and return the local folder that holds them.

    Raises:
        MissingWeightsError: if the hub cannot be reached or does not have them.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, allow_patterns=files))
    except Exception as error:  # the client raises many unrelated kinds when it is offline
        raise MissingWeightsError(
            f"there is no folder {repository}, and the hub gave none either "
            f"({type(error).__name__}); give a local folder, or a hub id with a network"
        ) from error


def upload(folder: Path, repository: str, *, private: bool) -> None:
    """Copy a folder to a repository, which is made if need be.

    Raises:
        MissingWeightsError: if the hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder)
    except Exception as error:  # as above
        raise MissingWeightsError(
            f"cannot upload to {repository}: {' '.join(str(error).split())} "
            "(it needs a network and `hf auth login`)"
        ) from error

"""Whether a model of the hub can be had: asked once, where its library retries for a minute."""

from typing import Final

_OWNER: Final = "sentence-transformers"
"""Of names that have none."""
_TIMEOUT_S: Final = 10.0


def answers(name: str) -> bool:
    """Whether the hub says that it has the model; False where only its cache here has it.

    Raises:
        ValueError: there is no such model, or the hub is out of reach; says what to do.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    names = [name] if "/" in name else [f"{_OWNER}/{name}", name]
    for one in names:
        try:
            HfApi().model_info(one, timeout=_TIMEOUT_S)
        except (HFValidationError, RepositoryNotFoundError):
            continue
        except Exception as error:  # offline by setting, or what its HTTP library raises
            if any(_is_cached(one) for one in names):
                return False
            raise ValueError(
                "no such folder, and the hub cannot be asked: check the spelling, or copy the "
                "model here and give its folder"
            ) from error
        return True
    raise ValueError("no such folder, and no such model on the hub: check the spelling")


def _is_cached(name: str) -> bool:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(name, local_files_only=True)  # nosec B615
    except (OSError, ValueError):
        return False
    return True

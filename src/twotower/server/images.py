"""Product pictures: which may be shown, and how a `data:` URI becomes a safe answer."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TypeGuard
from urllib.parse import quote, unquote_to_bytes

from twotower.errors import DataError

IMAGE_PATTERN = r"^(https?://|data:image/)[^\x00-\x20\x7f]"
"""Pictures a product may bring: a web address, or the picture itself."""

SVG_TYPE = "image/svg+xml"
_DATA_URI = re.compile(r"data:(image/[a-z0-9.+-]+)((?:;[a-z0-9=._-]+)*?)(;base64)?,", re.IGNORECASE)
_SAFE_TYPES = frozenset(
    {
        "image/avif",
        "image/gif",
        "image/jpeg",
        "image/png",
        SVG_TYPE,
        "image/webp",
    }
)
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""An SVG is a document: opened by itself it may draw, and nothing else."""


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture and the type under which they may be served."""

    body: bytes
    media_type: str


def is_data_uri(image: str | None) -> TypeGuard[str]:
    """Says whether the catalogue holds the picture itself."""
    return image is not None and image[:5].lower() == "data:"


def decode_picture(image: str) -> Picture:
    """Reads a `data:image/` URI.

    Args:
        image: The URI, base64 or percent-encoded.

    Returns:
        The bytes and their media type.

    Raises:
        DataError: Not a picture of a known type, or not decodable.
    """
    head = _DATA_URI.match(image)
    if head is None or head.group(1).lower() not in _SAFE_TYPES:
        expected = ", ".join(sorted(_SAFE_TYPES))
        raise DataError(f"image must be a data: URI of one of {expected}; got {image[:40]!r}")
    rest = image[head.end() :]
    return Picture(_decode(rest, is_base64=head.group(3) is not None), head.group(1).lower())


def _decode(text: str, *, is_base64: bool) -> bytes:
    raw = unquote_to_bytes(text)
    if not is_base64:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise DataError(f"image is not valid base64: {error}; encode the file again") from error


def shown_image(item_id: str, image: str | None) -> str | None:
    """Gives the address under which a page may load an item's picture.

    Args:
        item_id: The shop's id.
        image: What the catalogue holds.

    Returns:
        Our own image route for a `data:` URI, a web address or absolute path as it is, else None.
    """
    if image is None:
        return None
    if is_data_uri(image):
        return f"/v1/products/{quote(item_id, safe='')}/image"
    return image if image.startswith(("https://", "http://", "/")) else None

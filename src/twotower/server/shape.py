"""What all answers have in common."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """What every answer, and every part of one, is: fixed once made."""

    model_config = ConfigDict(frozen=True)


class Reply(Shape):
    """What every answer says."""

    request_id: str

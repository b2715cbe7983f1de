"""Value classes (值对象) for what is made anew for every message."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A dataclass that nobody may change; the type checker holds it, not the running program.

    A frozen dataclass sets its fields through `object.__setattr__`, which makes one of 17 fields
    nine times as dear to make, and an assessment is a hundred fields.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)

"""The message (舆情条目) that comes in, with what is known of its spread."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MAX_CHARACTERS: Final = 20_000  # contract: text is 1–20,000 characters after trimming

MEDIA_TIERS: Final = ("none", "local", "provincial", "central", "overseas")


@dataclass(frozen=True, slots=True)
class Spread:
    """Reach figures (传播数据); `None` is unknown, which is never the same as zero."""

    views: int | None = None
    reposts: int | None = None
    comments: int | None = None
    likes: int | None = None
    regions: int | None = None
    duplicates: int | None = None

    @property
    def engagement(self) -> int | None:
        """Reposts, comments and likes together (转评赞), over those that are known.

        >>> Spread(reposts=3, likes=4).engagement, Spread(views=9).engagement
        (7, None)
        """
        known = [n for n in (self.reposts, self.comments, self.likes) if n is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class MediaAttention:
    """Media attention (媒体关注); `None` is unknown."""

    tier: str | None = None
    reports: int | None = None
    hot_search: bool | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the caller gave it; meanings and bounds are those of docs/api.md.

    `store` tells whether anything of it may be kept or looked at again after the answer.
    """

    text: str
    id: str | None = None
    title: str | None = None
    channel: str | None = None
    url: str | None = None
    published_at: datetime | None = None
    found_at: datetime | None = None
    spread: Spread = field(default_factory=Spread)
    media: MediaAttention = field(default_factory=MediaAttention)
    involved_departments: int | None = None
    superior_request: bool | None = None
    store: bool = True

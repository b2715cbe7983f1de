"""What the benchmarks read: our own samples, whole where there are enough of a length."""

import json
from pathlib import Path
from typing import Final

MOST: Final = 200  # messages of one length
_NEAR: Final = 0.15  # how far a whole message's length may be from the length asked for
_SAMPLES: Final = Path(__file__).resolve().parents[1] / "data" / "samples"


def read_samples() -> list[str]:
    """All texts, in the order of their files."""
    return [
        json.loads(line)["text"]
        for path in sorted(_SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def whole_messages(length: int) -> list[str]:
    """Messages of about a length; where people write too few so long, several joined and cut."""
    samples = read_samples()
    near = [text for text in samples if abs(len(text) - length) <= length * _NEAR]
    if len(near) >= MOST:
        return near[:: len(near) // MOST][:MOST]
    joined = "\n".join(samples[::3])
    return [joined[n * length : (n + 1) * length] for n in range(MOST)]

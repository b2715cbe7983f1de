"""What the messages of training looked like to the model: what drift is measured from."""

from collections.abc import Sequence

from service.core.classify import Classification
from service.core.drift import DriftCounter, Seen
from training.samples import Sample


def make_profile(
    samples: Sequence[Sample],
    held: Sequence[Classification],
    unknown_words: Sequence[float],
) -> dict[str, dict[str, float]]:
    """The shares of labels, confidences, flags, lengths and unknown words.

    Of natural messages, where there are any: what was written or chosen for training is not what
    comes in.

    Args:
        samples: the judged samples.
        held: what models say of them that did not see them.
        unknown_words: of each the share of its words that the shipped model does not know.
    """
    counter = DriftCounter()
    some_natural = any(sample.is_natural for sample in samples)
    for sample, said, unknown in zip(samples, held, unknown_words, strict=True):
        if sample.is_natural or not some_natural:
            labels = {head: prediction.label for head, prediction in said.heads.items()}
            confidences = {
                head: prediction.confidence
                for head, prediction in said.heads.items()
                if head != "risk"  # an assessment tells a level, but not how sure it is
            }
            counter.add(Seen(labels, confidences, said.raised, len(sample.text), unknown))
    return counter.profile()

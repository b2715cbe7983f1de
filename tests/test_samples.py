"""The samples of data/samples/: as many, as varied and as clean as their README says."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from service.core.labels import CHANNELS, CULTURE_AND_TOURISM, FLAGS, HEADS
from service.core.normalize import Normalizer
from training.agreement import measure_agreement, render_agreement
from training.check import check_samples
from training.samples import read_samples

FOLDER = Path(__file__).parent.parent / "data" / "samples"
SECOND = FOLDER / "second_reading" / "labels.jsonl"
SAMPLES = read_samples([FOLDER])
TRAITS = {
    "advert", "call_centre", "damaged_copy", "debunking", "dialect", "emoji", "figurative_danger",
    "foreign_event", "negated_danger", "past_event", "point_at_end", "rumour_question", "sarcasm",
    "short_video", "traditional", "typo",
}  # fmt: skip
RUN = 15


def test_there_are_enough() -> None:
    assert len(SAMPLES) >= 1_500
    assert len({sample.id for sample in SAMPLES}) == len(SAMPLES)


def test_every_sample_has_every_label() -> None:
    for sample in SAMPLES:
        assert sample.labels.keys() == HEADS.keys() - {"flags"}
        assert sample.flags.keys() == FLAGS.keys()
        assert sample.channel in CHANNELS
        assert set(sample.traits) <= TRAITS


@pytest.mark.parametrize("topic", HEADS["topic"])
def test_every_topic_is_there(topic: str) -> None:
    least = 120 if topic in CULTURE_AND_TOURISM else 70
    assert sum(sample.labels["topic"] == topic for sample in SAMPLES) >= least


@pytest.mark.parametrize("response", HEADS["response"])
def test_every_response_is_there(response: str) -> None:
    assert sum(sample.labels["response"] == response for sample in SAMPLES) >= 200


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_is_there(flag: str) -> None:
    assert sum(sample.flags[flag] for sample in SAMPLES) >= 40


def test_the_gravest_level_is_there_and_always_with_figures() -> None:
    grave = [sample for sample in SAMPLES if sample.labels["risk"] == "4"]
    assert len(grave) >= 25
    assert all(re.search("[0-9一二三四五六七八九十百千万]", sample.text) for sample in grave)


def test_every_channel_and_trait_is_there() -> None:
    assert {sample.channel for sample in SAMPLES} == set(CHANNELS)
    traits = Counter(trait for sample in SAMPLES for trait in sample.traits)
    assert traits.keys() == TRAITS
    assert min(traits.values()) >= 20


def test_lengths_run_from_8_to_600_characters() -> None:
    lengths = sorted(len(sample.text) for sample in SAMPLES)
    assert lengths[0] >= 8
    assert lengths[-1] <= 600
    assert lengths[len(lengths) // 20] <= 25
    assert sum(length >= 300 for length in lengths) >= 60


def test_no_two_share_a_run_of_fifteen_characters() -> None:
    seen: dict[str, str] = {}
    for sample in SAMPLES:
        text = "".join(sample.text.split())
        for run in {text[i : i + RUN] for i in range(len(text) - RUN + 1)}:
            assert seen.setdefault(run, sample.id) == sample.id, (run, sample.id, seen[run])


def test_none_shares_a_run_of_fifteen_characters_with_the_outside_data(data: Path) -> None:
    lines = (data / "gold" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = ["".join(json.loads(line)["text"].split()) for line in lines]
    outside = {text[i : i + RUN] for text in texts for i in range(len(text) - RUN + 1)}
    for sample in SAMPLES:
        text = "".join(sample.text.split())
        shared = {text[i : i + RUN] for i in range(len(text) - RUN + 1)} & outside
        assert not shared, (sample.id, shared)


def test_they_hold_no_personal_number() -> None:
    for sample in SAMPLES:
        digits = re.sub(r"[\s-]", "", sample.text)
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)|\d{17}[\dXx]|\d{16,19}", digits), sample.id


def test_what_is_called_traditional_is() -> None:
    normalizer = Normalizer()
    for sample in SAMPLES:
        if "traditional" in sample.traits:
            assert "traditional_to_simplified" in normalizer.normalize(sample.text).repairs


def test_the_checker_finds_no_fault() -> None:
    report = check_samples([FOLDER])
    assert report.errors == []
    assert report.messages == len(SAMPLES)


def test_a_tenth_is_read_twice_and_the_readme_tells_the_agreement() -> None:
    messages, agreements = measure_agreement([FOLDER], SECOND)
    assert messages >= len(SAMPLES) / 10
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert render_agreement(messages, agreements) in readme


def test_the_readme_tells_the_counts() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for head in ("topic", "response", "risk"):
        counts = Counter(sample.labels[head] for sample in SAMPLES)
        for label, count in counts.items():
            assert f"| `{label}` | {count} |" in readme, (head, label, count)


def test_the_command_agrees() -> None:
    command = [sys.executable, "-m", "service.cli", "samples", "check", "--quick", str(FOLDER)]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode == 0
    assert f"{len(SAMPLES)} 条，错误 0" in ended.stdout.decode()

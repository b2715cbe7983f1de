"""Work grows no faster than the text, whatever its shape: nothing is quadratic."""

import gc
from collections.abc import Callable, Iterator

import pytest

from benchmarks.fuzz import SHAPES, STEPS, best_of, grow, steps_of
from service.core.assess import Chain

SIZES = (2_500, 5_000, 10_000, 20_000)
MOST = 8  # times as long for four times the text: linear is 4, quadratic 16
NOTICED = 0.005  # seconds; shorter times are mostly noise


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """What lives elsewhere must not be searched while a step is timed."""
    gc.disable()
    yield
    gc.enable()


def grows_too_fast(step: Callable[[str], object], shape: str) -> bool:
    """Whether the best of three times at the largest size is many times that at a quarter of it."""
    text = grow(shape, SIZES[-1])
    if best_of(step, text, rounds=1) <= NOTICED:
        return False
    quarter = best_of(step, grow(shape, SIZES[-1] // 4))
    # One time that is short enough decides: more of them could only be taken for a shorter best.
    return all(best_of(step, text, rounds=1) >= MOST * quarter for _ in range(3))


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_text_takes_no_more_than_eight_times_as_long(
    shape: str, name: str, chain: Chain
) -> None:
    step = steps_of(chain)[name]
    # A busy machine may slow three times of one round down, but hardly of three rounds.
    if all(grows_too_fast(step, shape) for _ in range(3)):
        took = {size: f"{best_of(step, grow(shape, size)) * 1_000:.1f} ms" for size in SIZES}
        pytest.fail(f"{name} of {shape}: {took}")


def test_every_shape_is_as_long_as_it_is_asked_to_be() -> None:
    assert {len(grow(shape, size)) for shape in SHAPES for size in SIZES} == set(SIZES)

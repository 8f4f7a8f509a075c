import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.metering.sketch import REGISTERS, Sketch


def of(ids):
    sketch = Sketch()
    sketch.add(ids)
    return sketch


@pytest.mark.parametrize("count", [0, 1, 2, 50, 1_000, 10_000, 40_000, 80_000])
def test_the_estimate_is_near(count):
    # Seeds are fixed, so this can't fail by chance: three standard errors, and near to exact for few.
    for seed in range(3):
        estimate = of(f"{seed}/{number}" for number in range(count)).estimate()
        assert abs(estimate - count) <= max(1, 0.025 * count)


IDS = st.lists(st.text(max_size=6), max_size=50)


@given(IDS, IDS)
def test_merging_is_adding_all(first, second):
    merged = of(first)
    merged.merge(of(second))
    assert merged.registers == of(first + second).registers == of(second + first + second).registers


@given(IDS)
def test_what_is_there_changes_nothing(ids):
    sketch = of(ids)
    assert not sketch.add(ids)
    assert Sketch(bytes(sketch.registers)).estimate() == sketch.estimate()


def test_anything_may_be_an_id():
    assert of(["\ud800", "", "é" * 10_000]).estimate() == 3
    with pytest.raises(ValueError, match=str(REGISTERS)):
        Sketch(b"too short")

"""Even draws."""

from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.sampling import draw_evenly


@given(st.integers(0, 200), st.integers(0, 300))
def test_draws_are_even_and_in_order(items, most):
    drawn = draw_evenly(range(items), most)
    assert len(drawn) == min(most or items, items)
    assert drawn == sorted(set(drawn))
    gaps = [after - before for before, after in zip(drawn, [*drawn[1:], items])]
    assert not gaps or max(gaps) - min(gaps) <= 1

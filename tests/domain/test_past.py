"""How long the next one may take, from how long the last ones took."""

from datetime import timedelta

import pytest

from bot.domain.past import Past


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        ([], None),
        ([10, 10], None),
        ([10, 30, 20], 20),
        ([12, 10, 14, 900], 13),
        ([11, 12, 13, 14, 900], 13),
    ],
)
def test_what_is_expected_is_the_median_once_three_are_known(
    took: list[int], expected: int | None
) -> None:
    past = Past(tuple(timedelta(minutes=each) for each in took))

    assert past.expected == (None if expected is None else timedelta(minutes=expected))

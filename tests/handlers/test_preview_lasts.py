"""How long a preview can be confirmed is the policy's word, and the refusal says that word."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import DANA
from tests.handlers.office import Office
from tests.handlers.reading import buttons


@pytest.mark.parametrize(("waited", "is_good"), [(120, True), (121, False)])
async def test_a_preview_is_good_for_as_long_as_the_policy_says(
    database: Path, waited: int, is_good: bool
) -> None:
    office = Office(database)
    office.policies = replace(office.policies, preview_lasts=timedelta(minutes=2))
    async with office:
        preview = await office.types(DANA, "/deploy checkout v1.8.3")
        value = buttons(preview.body)["deploy.request.confirm"]
        office.clock.pass_(timedelta(seconds=waited))

        said = await office.presses(DANA, "deploy.request.confirm", value)

        assert ("It is good for 2 min." in said) is not is_good
        assert bool(await office.every()) is is_good

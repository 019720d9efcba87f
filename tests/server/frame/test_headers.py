"""Found by attack: a header that no browser sends is answered, not broken on."""

import pytest

from surveys.stores import StoreSettings
from tests.server.hr.offices import offices


@pytest.mark.parametrize("origin", ["http://[::1", "http://[", "http://[x]"])
async def test_an_origin_that_is_no_address_is_refused(sqlite_settings: StoreSettings, origin: str) -> None:
    async with offices(sqlite_settings, {}) as here:
        answered = await here.client.post("/account/in", data={"name": "a"}, headers={"origin": origin})
        assert answered.status_code == 403

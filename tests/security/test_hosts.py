"""Which hosts adapters may speak to: those of the policies, as the adapters spell them."""

from pathlib import Path

import pytest

from bot.adapters import http_json
from bot.app import hosts_of
from bot.policies.addresses import urls
from bot.policies.loader import load
from tests.policies.texts import EXTENDING, ORG, write


@pytest.mark.parametrize(
    "host", ["metrics.example", "METRICS.example", "xn--mnchen-3ya.example", "[0:0:0::1]"]
)
def test_a_host_that_a_policy_names_is_known_however_it_is_spelt(tmp_path: Path, host: str) -> None:
    text = EXTENDING.replace("127.0.0.1:9000/metrics", f"{host}/metrics")
    policies = load(write(tmp_path, org=ORG, checkout=text))

    assert set(hosts_of(policies)) == http_json.hosts_of(urls(policies))
    assert any(host in url for url in urls(policies))

"""The demo's policies with times so short that a whole deployment passes in seconds."""

import json
from pathlib import Path

from bot.demo.policies import DemoWorld as Names
from bot.demo.policies import policy_files
from bot.demo.world.world import Addresses

STEPS = (10, 25, 50, 100)

_CHECKOUT = """\
service: checkout
extends: starter

releases: {driver: http, url: %(releases)s}
environments:
  production:
    router: {driver: weighted_http, url: %(router)s}
    metrics: {driver: http, url: %(metrics)s}

checks:
  serving: {name: Production answers, driver: http, url: %(production)s, owner: on_call}
  staging:
    name: Staging serves the new version
    driver: http
    url: %(staging)s
    version_field: version
    owner: qa_lead
  production:
    name: Production serves the new version
    driver: http
    url: %(production)s
    version_field: version
    owner: on_call

jobs:
  staging: {driver: shell, run: %(command)s}

health:
  rules:
    - {metric: error_rate, above: 5, unit: "%%", for: 1s, minimum_requests: 3, label: error rate}
    - {metric: p95_ms, above: 5000, unit: ms, for: 5s, minimum_requests: 3, label: p95}
  max_age: 10s
  patience: 1m

kinds:
  standard:
    stages:
      - gate: {name: Pre-flight, checks: [serving], fresh_for: 1m, patience: 1m}
      - job: {name: Staging, job: staging, time_limit: 1m}
      - gate: {name: Staging healthy, checks: [staging], fresh_for: 1m, patience: 1m}
      - approval:
          name: Approval
          slots: [{role: deployment_lead, needed: 1}, {role: qa_lead, needed: 1}]
          expires_after: 60m
          remind_after: 10m
      - rollout:
          name: Canary
          steps:
            - {weight: 10%%, bake: %(bake)s}
            - {weight: 25%%, bake: %(bake)s}
            - {weight: 50%%, bake: %(bake)s}
            - {weight: 100%%, bake: %(bake)s}
      - gate: {name: Production healthy, checks: [production], fresh_for: 1m, patience: 1m}
      - watch: {name: Watch, lasts: %(watch)s, proven_after: 1s}

rollback: {page_every: 1m}
updates: {every: %(updates)s, late_after: 20s}
"""

# A test presses faster than any person.
_LIMITS = """\
limits: {commands_per_minute: 600, clicks_per_minute: 600, channel_per_minute: 6000}
"""


def write_fast(
    directory: Path, where: Addresses, *, bake: str = "1s", watch: str = "1s", updates: str = "1m"
) -> None:
    """Write both files into *directory*."""
    names = Names(
        releases=where.releases,
        router=where.router,
        metrics=where.metrics,
        production_health=where.production_health,
        staging_health=where.staging_health,
        staging=where.stage_command,
    )
    directory.mkdir(parents=True, exist_ok=True)
    values = {
        "releases": json.dumps(names.releases),
        "router": json.dumps(names.router),
        "metrics": json.dumps(names.metrics),
        "production": json.dumps(names.production_health),
        "staging": json.dumps(names.staging_health),
        "command": json.dumps(names.staging),
        "bake": bake,
        "watch": watch,
        "updates": updates,
    }
    (directory / "org.yaml").write_text(policy_files(names)["org.yaml"] + _LIMITS)
    (directory / "checkout.yaml").write_text(_CHECKOUT % values)

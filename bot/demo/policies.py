"""The demo team's policy files: seven people, one service, and times short enough to watch."""

import json
from dataclasses import dataclass
from pathlib import Path

_ORG = """\
# The demo team. In a real team this file lists your people by their Slack user id.
team: Pilothouse demo
zone: UTC

roles:
  developer: {title: Developer}
  deployment_lead: {title: Deployment Lead}
  qa_lead: {title: QA Lead}
  on_call: {title: On call}
  tech_lead: {title: Tech Lead}
  cto: {title: CTO}

people:
  U0DANA: {name: Dana, roles: [developer]}
  U0DEVO: {name: Devo, roles: [developer]}
  U0ANA: {name: Ana, roles: [deployment_lead]}
  U0QUINN: {name: Quinn, roles: [qa_lead]}
  U0SAM: {name: Sam, roles: [on_call]}
  U0TESS: {name: Tess, roles: [tech_lead]}
  U0CHRIS: {name: Chris, roles: [cto]}

channels:
  deployment: C0DEPLOY
  incidents: C0INCIDENT
  general: C0GENERAL
"""

_CHECKOUT = """\
# The demo's service. Everything that is not here comes from the shipped profile `starter`;
# times are shortened, so that a whole deployment can be watched over a coffee.
service: checkout
extends: starter

releases: {driver: http, url: %(releases)s}
environments:
  production:
    router: {driver: weighted_http, url: %(router)s}
    metrics: {driver: http, url: %(metrics)s}

checks:
  serving:
    name: Production answers
    driver: http
    url: %(production_health)s
    owner: on_call
    needs_serving: true
  staging:
    name: Staging serves the new version
    driver: http
    url: %(staging_health)s
    version_field: version
    owner: qa_lead
  production:
    name: Production serves the new version
    driver: http
    url: %(production_health)s
    version_field: version
    owner: on_call

jobs:
  staging: {driver: shell, run: %(staging)s, env: %(env)s}

health:
  rules:
    - {metric: error_rate, above: 5, unit: "%%", for: 15s, minimum_requests: 10, label: error rate}
    - {metric: p95_ms, above: 3000, unit: ms, for: 15s, minimum_requests: 10, label: p95}
    - metric: error_rate
      above: 20
      unit: "%%"
      for: 5s
      minimum_requests: 10
      label: fast-burn error rate
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
            - {weight: 10%%, bake: 20s}
            - {weight: 25%%, bake: 20s}
            - {weight: 50%%, bake: 20s}
            - {weight: 100%%, bake: 20s}
      - gate: {name: Production healthy, checks: [production], fresh_for: 1m, patience: 1m}
      - watch: {name: Watch, lasts: 90s, proven_after: 30s}

rollback: {page_every: 1m}
updates: {every: 1m, late_after: 20s}
"""


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """Where the demo's own world listens, and what puts a version on its staging.

    *staging* is an argv in which `{version}` may be a whole argument; *env* names the variables
    of the bot that it gets.
    """

    releases: str
    router: str
    metrics: str
    production_health: str
    staging_health: str
    staging: tuple[str, ...]
    env: tuple[str, ...] = ()


def policy_files(world: DemoWorld) -> dict[str, str]:
    """Text by file name."""
    # JSON is YAML, so whatever stands in an address or argument stays one value.
    values = {
        "releases": json.dumps(world.releases),
        "router": json.dumps(world.router),
        "metrics": json.dumps(world.metrics),
        "production_health": json.dumps(world.production_health),
        "staging_health": json.dumps(world.staging_health),
        "staging": json.dumps(world.staging),
        "env": json.dumps(world.env),
    }
    return {"org.yaml": _ORG, "checkout.yaml": _CHECKOUT % values}


def write_policies(directory: Path, world: DemoWorld) -> None:
    """Write both files into *directory*, made if it is not there; older ones are replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in policy_files(world).items():
        (directory / name).write_text(text, encoding="utf-8")

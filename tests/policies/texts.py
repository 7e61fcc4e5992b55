"""Policies that are right, for tests to break at one place."""

from pathlib import Path

from bot.policies.findings import Finding
from bot.policies.loader import findings

ORG = """\
team: Checkout team
zone: Europe/Berlin
roles:
  developer: {title: Developer}
  deployment_lead: {title: Deployment Lead}
  qa_lead: {title: QA Lead}
  on_call: {title: On call}
  tech_lead: {title: Tech Lead}
  cto: {title: CTO}
people:
  U0DANA: {name: Dana, roles: [developer]}
  U0ANA: {name: Ana, roles: [deployment_lead], accounts: [U1ANA]}
  U0QUINN: {name: Quinn, roles: [qa_lead]}
  U0SAM: {name: Sam, roles: [on_call]}
  U0TESS: {name: Tess, roles: [tech_lead]}
  U0CHRIS: {name: Chris, roles: [cto], active: true}
channels:
  deployment: C0DEPLOY
"""

#: Short: what a service adds to the shipped profile.
EXTENDING = """\
service: checkout
extends: starter
releases: {driver: http, url: "http://127.0.0.1:9000/releases"}
environments:
  production:
    router: {driver: weighted_http, url: "http://127.0.0.1:9000/router"}
    metrics: {driver: http, url: "http://127.0.0.1:9000/metrics"}
checks:
  serving: {name: Production answers, driver: http, url: "http://127.0.0.1:9001/health"}
  staging:
    name: Staging serves it
    driver: http
    url: http://127.0.0.1:9002/health
    version_field: version
    owner: qa_lead
  production:
    name: Production serves it
    driver: http
    url: http://127.0.0.1:9001/health
    version_field: version
jobs:
  staging: {driver: shell, run: [deploy-staging, "{service}", "{version}"], env: [PATH, HOME]}
"""

#: The whole of it, without a profile.
COMPLETE = """\
service: payments
aliases: [pay]
channel: deployment
default_environment: production
on_call: on_call
releases:
  driver: http
  url: https://releases.example/v1
environments:
  production:
    router: {driver: weighted_http, url: "https://router.example/"}
    metrics:
      driver: http
      url: https://metrics.example/
checks:
  alive:
    name: It answers
    driver: http
    url: https://payments.example/health
    owner: qa_lead
jobs:
  stage:
    driver: shell
    run: [/usr/bin/stage, "{version}"]
    env: [STAGE_HOST]
health:
  rules:
    - metric: error_rate
      above: 5
      for: 2m
      minimum_requests: 50
  max_age: 30s
  patience: 10m
kinds:
  standard:
    stages:
      - gate: {name: Pre-flight, checks: [alive], fresh_for: 5m, patience: 9m}
      - job:
          name: Staging
          job: stage
          time_limit: 15m
      - approval:
          name: Sign
          slots:
            - {role: deployment_lead, needed: 1}
          expires_after: 60m
          remind_after: 10m
      - rollout:
          name: Canary
          steps:
            - {weight: 10%, bake: 5m}
            - {weight: 50%, bake: 4m}
            - {weight: 100%, bake: 10m}
          on_unknown: hold
      - watch:
          name: Watch
          lasts: 24h
          proven_after: 1h
rights:
  request: [anyone]
  hold: [anyone]
  promote: [tech_lead]
  cancel: [tech_lead]
  reject: [tech_lead]
  roll_back: [on_call, tech_lead]
  abandon: [cto]
  unlock: [cto]
rollback:
  verify: [alive]
  page_every: 5m
  reason_length: 5
updates:
  every: 5m
  late_after: 60s
hold:
  remind_every: 30m
  expires_after: 1d
"""


def write(folder: Path, **texts: str) -> Path:
    """Write `org=…` as org.yaml and so on; returns *folder*."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def found_in(folder: Path, **texts: str) -> tuple[Finding, ...]:
    return findings(write(folder, **texts))

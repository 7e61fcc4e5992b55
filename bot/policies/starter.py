"""The first policy files of a new team: they extend the starter profile and load at once."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StarterUrls:
    """Where the outside world of a service is; all http or https, no trailing slash."""

    releases: str
    router: str
    metrics: str
    serving_health: str
    staging_health: str


@dataclass(frozen=True, slots=True)
class StarterPerson:
    """Somebody to begin with; *roles* are keys of the starter's roles."""

    id: str
    name: str
    roles: tuple[str, ...]


#: Every role that the starter profile names, and developers, who ask.
ROLES = {
    "developer": "Developer",
    "deployment_lead": "Deployment Lead",
    "qa_lead": "QA Lead",
    "on_call": "On call",
    "tech_lead": "Tech Lead",
    "cto": "CTO",
}


def starter_files(
    service: str,
    urls: StarterUrls,
    people: tuple[StarterPerson, ...],
    channel: str,
    staging: tuple[str, ...],
    team: str = "Our team",
    zone: str = "UTC",
) -> dict[str, str]:
    """Text by file name: `org.yaml` and the service's file.

    *channel* is the Slack id of the channel for cards, *staging* the argv of the staging job.
    """
    return {
        "org.yaml": _org(people, channel, team, zone),
        f"{service}.yaml": _service(service, urls, staging),
    }


def _org(people: tuple[StarterPerson, ...], channel: str, team: str, zone: str) -> str:
    lines = [f"team: {_q(team)}", f"zone: {_q(zone)}", "roles:"]
    lines += [f"  {key}: {{title: {_q(title)}}}" for key, title in ROLES.items()]
    lines += ["people:"] if people else ["people: {}"]
    lines += [f"  {p.id}: {{name: {_q(p.name)}, roles: [{', '.join(p.roles)}]}}" for p in people]
    lines += ["channels:", f"  deployment: {channel}"]
    lines += ["# Within a minute; rolling back is never limited."]
    lines += ["limits: {commands_per_minute: 10, clicks_per_minute: 30, channel_per_minute: 120}"]
    lines += ["# How late the bot itself may be before it calls who is on call."]
    lines += ["alarms: {look_late_after: 2m, sending_lost_after: 2m, given_up_for: 24h}"]
    lines += [""]
    return "\n".join(lines)


def _service(service: str, urls: StarterUrls, staging: tuple[str, ...]) -> str:
    run = ", ".join(_q(argument) for argument in staging)
    return f"""\
# Overrides the shipped profile: mappings merge, lists replace.
# `pilothouse policy show {service}` prints the whole with the origin of every value.
service: {service}
extends: starter
# For a new service, which nothing serves yet: all traffic at once, and no way back.
# first_deployment: allowed

releases: {{driver: http, url: {_q(urls.releases)}}}
environments:
  production:
    router: {{driver: weighted_http, url: {_q(urls.router)}}}
    metrics: {{driver: http, url: {_q(urls.metrics)}}}

checks:
  serving:
    name: Production answers
    driver: http
    url: {_q(urls.serving_health)}
    needs_serving: true
  staging:
    name: Staging serves the new version
    driver: http
    url: {_q(urls.staging_health)}
    version_field: version
    owner: qa_lead
  production:
    name: Production serves the new version
    driver: http
    url: {_q(urls.serving_health)}
    version_field: version
    owner: on_call

jobs:
  staging: {{driver: shell, run: [{run}]}}
"""


def _q(text: str) -> str:
    """A JSON string is a YAML string, whatever stands in it."""
    return json.dumps(text)

"""What the bot counts about itself, in Prometheus' text form."""

from collections.abc import Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Numbers:
    """One registry per process of the bot; nothing is global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        self.commands = counter(
            "pilothouse_wishes_total", "What people asked for, by what came of it.", ["outcome"]
        )
        self.turned = counter(
            "pilothouse_turned_requests_total",
            "Inbound requests sent away before anything was read, by status.",
            ["status"],
        )
        self.limited = counter(
            "pilothouse_limited_total",
            "What was not carried out because somebody asked for too much, by kind.",
            ["kind"],
        )
        self.sent = counter(
            "pilothouse_deliveries_total", "Tries to make an effect true, by outcome.", ["outcome"]
        )
        self.bugs = counter(
            "pilothouse_bugs_total",
            "Pieces of work that ended in an error nobody foresaw.",
            ["where"],
        )
        self.laps = counter("pilothouse_laps_total", "Things the reconciler looked at.")
        self.violations = Gauge(
            "pilothouse_invariant_violations",
            "What a healthy program keeps true and is not, by the rule that is broken.",
            ["name"],
            registry=self.registry,
        )
        #: How many violations are open now, by rule; only those there are.
        self.alarms: Mapping[str, int] = {}
        self.lag = Gauge(
            "pilothouse_loop_lag_seconds",
            "How late the event loop came to a timer, at the last look.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)

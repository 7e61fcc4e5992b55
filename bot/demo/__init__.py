"""The local workspace: a strict Slack on loopback, and a small real service to deploy."""

"""Pilothouse: deployments and incidents, run from Slack."""

"""The outside world, by vendor."""

"""One file per step, each both ways."""

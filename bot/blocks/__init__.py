"""Pure rendering: domain value to Block Kit."""

"""What comes in: commands, clicks, mentions, and the raw-byte gate before them."""

"""Where the program begins: `pilothouse`, or `python -m bot`."""

import gc
from importlib import import_module


def main() -> None:
    """Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 an outside system is away."""
    # All that is loaded here stays until the end. Looking through it for garbage, again and
    # again while it grows, costs a tenth of a start, and would cost every later search too.
    gc.disable()
    command_line = import_module("bot.command_line")
    gc.freeze()
    gc.enable()
    command_line.cli()


if __name__ == "__main__":
    main()

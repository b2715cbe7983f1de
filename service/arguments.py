"""What several commands read from their arguments."""

import argparse
import getpass
from collections.abc import Sequence


def read_pairs(
    pairs: Sequence[str], option: str, parser: argparse.ArgumentParser
) -> dict[str, str]:
    """`A=B` arguments as a table; a pair without `=` ends the command."""
    table = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (separator and value):
            parser.error(f"{option} {pair} 应写成 A=B")
        table[key] = value
    return table


def current_user() -> str:
    """Who runs the command; in a container that knows no user, nobody in particular."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"

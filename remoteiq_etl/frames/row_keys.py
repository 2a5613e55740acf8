"""Keys of rows as text: of several columns a JSON array. No import that takes long, and no table."""

import contextlib
import json
from collections.abc import Sequence


def key_text(parts: Sequence[str]) -> str:
    """The JSON array text that names a row: [target table, legacy table, legacy key, …]."""
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))


def one_key(parts: Sequence[str]) -> str:
    """A key as the state schema has it: several parts as a JSON array without spaces."""
    if len(parts) > 1:
        return key_text(parts)
    with contextlib.suppress(ValueError):
        array = json.loads(parts[0]) if parts[0].startswith("[") else None
        if isinstance(array, list) and all(isinstance(part, str | int) for part in array):
            return key_text([str(part) for part in array])
    return parts[0]

"""Names that a user gives. Unknown ones are usage errors that say what could have been meant. No import that takes long."""

import difflib
from collections.abc import Collection, Sequence

import typer


def check_names(option: str, names: Sequence[str], known: Collection[str]) -> None:
    """Raise BadParameter for the first name that is not known."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"{close[0]!r} is meant?" if close else f"Known: {', '.join(sorted(known))}."
            raise typer.BadParameter(f"there is no {name!r}. {hint}", param_hint=option)

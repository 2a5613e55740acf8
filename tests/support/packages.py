"""Packages made of texts, each under a name of its own: code whose home and wording a test chooses."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import ModuleType

_NUMBERS = count()


@contextmanager
def package_of(directory: Path, modules: Mapping[str, str]) -> Iterator[Mapping[str, ModuleType]]:
    """The modules (dotted name below the package → text, in which PACKAGE stands for its name), imported."""
    name = f"package_of_texts_{next(_NUMBERS)}"
    for place, text in modules.items():
        file = directory.joinpath(name, *place.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("PACKAGE", name), encoding="utf-8")
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        yield {place: importlib.import_module(f"{name}.{place}") for place in modules}
    finally:
        sys.path.remove(str(directory))

"""python -m tests.mutation [MODULE ...]: run mutants and list those that no test notices."""

import argparse
import sys
import time

from tests.mutation import imports
from tests.mutation.runner import run
from tests.mutation.sample import everything, sampled


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="dotted names or their beginnings, as assets.support; default: all")
    parser.add_argument("--all", action="store_true", help="every mutant instead of the sample of the normal suite")
    parser.add_argument("--verbose", action="store_true", help="name each mutant as it is judged")
    arguments = parser.parse_args()
    wanted = tuple(arguments.modules) or ("",)
    modules = [
        name for name in imports.tested() if any(f"{name}.".startswith(f"{each}.".lstrip(".")) for each in wanted)
    ]
    if not modules:
        parser.error(f"no such module: {' '.join(wanted)}; expected one of {' '.join(imports.tested())}")
    started = time.monotonic()
    found = run(
        [(name, (everything if arguments.all else sampled)(name)) for name in modules], verbose=arguments.verbose
    )
    sys.stdout.writelines(f"survived  {name}\n" for name in found.survivors)
    total, seconds = found.killed + len(found.survivors), time.monotonic() - started
    sys.stdout.write(f"{found.killed} of {total} mutants of {len(modules)} modules killed in {seconds:.0f} s\n")
    return 1 if found.survivors else 0


if __name__ == "__main__":
    sys.exit(main())

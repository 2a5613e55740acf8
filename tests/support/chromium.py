"""The Chromium of this machine; Playwright downloads none."""

import os
import shutil


def found() -> str | None:
    """CHROMIUM where it is set, else the first that the PATH has; None where there is none."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)

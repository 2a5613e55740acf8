"""The form in which the new application stores e-mail addresses and permission keys. Nothing else belongs here."""

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT


def lowered(texts: pd.Series) -> pd.Series:
    """Each text trimmed and lower-cased; null where it is null or blank."""
    table = {text: text.strip().lower() or None for text in texts.dropna().unique()}
    return pd.Series([table.get(text) for text in texts], index=texts.index, dtype=TEXT)

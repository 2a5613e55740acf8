(known.released_run IS NULL AND known.rule = EXCLUDED.rule AND known."row" = EXCLUDED."row"
    AND known.source_hash IS NOT DISTINCT FROM EXCLUDED.source_hash)

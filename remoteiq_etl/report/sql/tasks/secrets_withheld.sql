-- Secrets without a place in the target that were not kept.
SELECT legacy_table || '.' || "column" || ' of ' || legacy_key AS key FROM {legacy_archive}
WHERE source_id = %(source_id)s AND withheld AND gone_run IS NULL

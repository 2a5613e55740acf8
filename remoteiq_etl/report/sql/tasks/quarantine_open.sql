-- Quarantined rows that nobody has accepted.
SELECT table_name || ' ' || legacy_key AS key FROM {quarantine}
WHERE source_id = %(source_id)s AND released_run IS NULL AND ignored_at IS NULL

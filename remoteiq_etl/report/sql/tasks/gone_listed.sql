-- Rows gone from legacy whose target row is there.
SELECT table_name || ' ' || legacy_key AS key FROM {gone}
WHERE source_id = %(source_id)s AND returned_run IS NULL AND outcome = 'listed'

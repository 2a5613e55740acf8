-- Rows that wait for a parent.
SELECT table_name || ' ' || legacy_key AS key FROM {held} WHERE source_id = %(source_id)s AND released_run IS NULL

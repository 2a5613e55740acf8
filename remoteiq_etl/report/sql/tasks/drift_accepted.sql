-- Differences of the legacy schema that somebody accepted: what is in them is archived only.
SELECT name AS key FROM {accepted_drift} WHERE source_id = %(source_id)s

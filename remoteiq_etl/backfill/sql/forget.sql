-- Nothing is written any more: a row that comes back is inserted again, under the same key.
UPDATE {map}
SET state = 'gone', written_hash = NULL, last_run = {run_id}
WHERE source_id = {source_id} AND legacy_table = %(table)s AND legacy_key = %(key)s

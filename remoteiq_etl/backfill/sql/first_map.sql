INSERT INTO {map}
    (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, owner_key, first_run, inserted_run, last_run, source_hash, written_hash, last_written)
SELECT
    {source_id}, {legacy_table}, s._key, {new_key}, s._rule, 'live', false, s._owner, {run_id}, {run_id}, {run_id}, s._hash, {incoming_hash}, {last_written}
FROM {stage} AS s
ORDER BY s._key

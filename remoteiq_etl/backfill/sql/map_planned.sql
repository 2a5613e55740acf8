INSERT INTO {map} AS known
    (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, owner_key, first_run, last_run, inserted_run, source_hash,
    written_hash, last_written)
SELECT
    {source_id}, {legacy_table}, s._key, p.new_key, CASE WHEN p.action = 'adopted' THEN 'adopted' ELSE s._rule END, 'live',
    p.action = 'adopted', s._owner, {run_id}, {run_id},
    CASE WHEN p.action IN ('inserted', 'recreated', 'moved') THEN {run_id}::bigint END, s._hash, p.incoming, {last_written}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
LEFT JOIN {target} AS t ON {target_join}
WHERE p.action IN ('inserted', 'recreated', 'moved', 'adopted', 'updated', 'taken', 'renewed', 'kept', 'touched') AND p._row BETWEEN %(first)s AND %(last)s
ON CONFLICT ({map_key}) DO UPDATE SET
    new_key = EXCLUDED.new_key,
    rule = CASE WHEN known.decision IS NULL THEN EXCLUDED.rule ELSE known.rule END,
    state = 'live',
    adopted = known.adopted OR EXCLUDED.adopted,
    owner_key = EXCLUDED.owner_key,
    last_run = EXCLUDED.last_run,
    inserted_run = coalesce(EXCLUDED.inserted_run, known.inserted_run),
    source_hash = EXCLUDED.source_hash,
    written_hash = EXCLUDED.written_hash,
    last_written = EXCLUDED.last_written

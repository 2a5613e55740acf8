-- Rows that differ because the state says that they wait, or became no row of their own. That a row was left out does not
-- explain why an opinion makes one: whether it should have been is the question. What the target decides, no opinion knows.
SELECT d.n, 'quarantined' AS label, format('quarantined under the rule %%s', w.rule) AS detail
FROM pg_temp.differences AS d
JOIN {quarantine} AS w USING (legacy_table, legacy_key)
WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.released_run IS NULL
UNION ALL
SELECT d.n, 'held', format('waits for its parent in %%s', w.parent_table)
FROM pg_temp.differences AS d
JOIN {held} AS w USING (legacy_table, legacy_key)
WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.released_run IS NULL
UNION ALL
SELECT d.n, 'expected_by_rule', format('%%s under the rule %%s', w.outcome, w.rule)
FROM pg_temp.differences AS d
JOIN {left_out} AS w USING (legacy_table, legacy_key)
WHERE
    w.source_id = {source_id}
    AND w.table_name = {table_name}
    AND (
        d.kind <> 'missing'
        OR w.outcome NOT IN ('filtered', 'archived')
        OR w.rule IN ('parent_deleted_in_target', 'adopted_role_exceeds_legacy')
    )
UNION ALL
SELECT d.n, 'expected_by_rule', format('gone from legacy: %%s', w.outcome)
FROM pg_temp.differences AS d
JOIN {gone} AS w USING (legacy_table, legacy_key)
WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.returned_run IS NULL

-- name: conflicts
-- Columns of rows that differ about which a conflict is open, or which an operator decided to keep, and why.
SELECT d.n, c.columns, c.reason
FROM pg_temp.differences AS d
JOIN {conflicts} AS c ON c.new_key = d.key
WHERE c.source_id = {source_id} AND c.table_name = {table_name} AND c.resolved_run IS NULL
ORDER BY c.id


-- name: edits
-- Rows of ours that are not as they were last written, and in which columns that can be told.
SELECT
    m.new_key::text AS new_key,
    m.legacy_key::text AS legacy_key,
    array_remove(ARRAY[{edited}]::text[], NULL) AS columns
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND NOT m.adopted
    AND {only} AND m.written_hash <> {current_hash}


-- name: entries
-- What the map says of each row that differs, and whether the row that it leads to is there.
SELECT
    d.n,
    d.legacy_table,
    m.last_run,
    m.new_key::text AS new_key,
    m.rule,
    m.state,
    m.adopted,
    EXISTS (SELECT FROM {target} AS t WHERE {key_join}) AS is_there,
    m.last_run > m.first_run AS renewed,
    m.first_run < {completed_run} AS outlived
FROM pg_temp.differences AS d
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = d.legacy_table AND m.legacy_key = d.legacy_key::{legacy_type}


-- name: origins
-- Which legacy row a row of the target is, where the opinion knows of none.
UPDATE pg_temp.differences AS d
SET legacy_table = m.legacy_table, legacy_key = m.legacy_key::text
FROM {map} AS m
WHERE d.legacy_key IS NULL AND m.source_id = {source_id} AND m.state = 'live' AND m.new_key = d.key::{new_type}


-- name: replaced
-- Rows that are missing because what they belong to has rows in the target that somebody else made: a load leaves it alone.
SELECT d.n
FROM pg_temp.differences AS d
JOIN pg_temp.expected AS e ON e._legacy_table = d.legacy_table AND e._legacy_key = d.legacy_key
WHERE d.kind = 'missing' AND e.{owner} IN (
    SELECT t.{owner} FROM {target} AS t
    WHERE NOT EXISTS (SELECT FROM {map} AS m WHERE m.state = 'live' AND {key_join})
)


-- name: sides
-- Of rows that both sides have: in which columns the target is not as last written, in which the opinion is not, in which the
-- target's time is the later one, of which columns nothing was recorded, which are never written and should be empty, and
-- whether each side as a whole is what was written, or the opinion what was given to a trigger of the target.
SELECT
    d.n,
    array_remove(ARRAY[{edited}]::text[], NULL) AS edited,
    array_remove(ARRAY[{wanted}]::text[], NULL) AS wanted,
    array_remove(ARRAY[{later}]::text[], NULL) AS later,
    array_remove(ARRAY[{unrecorded}]::text[], NULL) AS unrecorded,
    array_remove(ARRAY[{foreign}]::text[], NULL) AS foreign,
    {current_hash} = m.written_hash AS as_written,
    {expectation_hash} = m.written_hash AS expectation_as_written,
    {expectation_hash} = decode(m.last_written ->> {given}, 'hex') AS expectation_as_given
FROM pg_temp.differences AS d
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = d.legacy_table AND m.legacy_key = d.legacy_key::{legacy_type}
JOIN {target} AS t ON {key_join}
JOIN pg_temp.expected AS e ON {origin}
WHERE d.kind = 'changed' AND d.legacy_table = {legacy_table} AND m.state = 'live'


-- name: twins
-- Rows of the target that hold what a missing row should hold, under another key, and stand for no other legacy row.
SELECT d.n, {twin_key} AS twin
FROM pg_temp.differences AS d
JOIN pg_temp.expected AS e ON {expected_key} = d.key
JOIN {target} AS t ON md5(ROW({target_columns})::text) = md5(ROW({expected_columns})::text)
WHERE d.kind = 'missing' AND d.n = ANY (%(lost)s)
    AND NOT EXISTS (SELECT FROM {map} AS m WHERE m.source_id = {source_id} AND m.state = 'live' AND {key_join})


-- name: waits
-- Rows that differ because the state says that they wait, or became no row of their own. That a row was left out does not
-- explain why an opinion makes one: whether it should have been is the question. What the target decides, no opinion knows.
SELECT d.n, 'quarantined' AS label, format('quarantined under the rule %%s', w.rule) AS detail
FROM pg_temp.differences AS d
JOIN {quarantine} AS w ON w.legacy_table = d.legacy_table AND w.legacy_key = {listed_key}
WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.released_run IS NULL
UNION ALL
SELECT d.n, 'held', format('waits for its parent in %%s', w.parent_table)
FROM pg_temp.differences AS d
JOIN {held} AS w ON w.legacy_table = d.legacy_table AND w.legacy_key = {listed_key}
WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.released_run IS NULL
UNION ALL
SELECT d.n, 'expected_by_rule', format('%%s under the rule %%s', w.outcome, w.rule)
FROM pg_temp.differences AS d
JOIN {left_out} AS w ON w.legacy_table = d.legacy_table AND w.legacy_key = {listed_key}
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

-- name: archive
-- A value that was sealed stays sealed when it comes without a key: a lost key takes nothing back.
-- Of two tables that read the same row, the first one's name stands.
INSERT INTO {legacy_archive} AS known (source_id, legacy_table, legacy_key, "column", value, rule, withheld, sealed, key_id, table_name, run_id)
SELECT
    {source_id}, {legacy_table}, v.legacy_key, v."column", v.value::jsonb, v.rule, v.withheld, v.sealed, split_part(v.sealed, '.', 2),
    {table_name}, {run_id}
FROM json_to_recordset(%(rows)s::json)
    AS v (legacy_key text, "column" text, value text, rule text, withheld boolean, sealed text)
ON CONFLICT (source_id, legacy_table, legacy_key, "column") DO UPDATE SET
    value = EXCLUDED.value, rule = EXCLUDED.rule, withheld = EXCLUDED.withheld, sealed = EXCLUDED.sealed, key_id = EXCLUDED.key_id,
    table_name = coalesce(known.table_name, EXCLUDED.table_name), run_id = EXCLUDED.run_id
WHERE NOT (EXCLUDED.withheld AND known.sealed IS NOT NULL)
    AND (
        (known.value, known.rule, known.withheld, known.sealed)
            IS DISTINCT FROM (EXCLUDED.value, EXCLUDED.rule, EXCLUDED.withheld, EXCLUDED.sealed)
        OR known.table_name IS NULL
    )


-- name: archive_count
INSERT INTO {archive_counts}
    (run_id, table_name, legacy_table, "column", rule, "rows", bytes, clear, sealed, withheld, retired)
VALUES ({run_id}, {table_name}, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (run_id, table_name, legacy_table, "column", rule) DO UPDATE SET
    "rows" = EXCLUDED."rows", bytes = EXCLUDED.bytes, clear = EXCLUDED.clear, sealed = EXCLUDED.sealed,
    withheld = EXCLUDED.withheld, retired = EXCLUDED.retired


-- name: archive_counts
-- What the archive holds of the columns that one table archives.
SELECT
    a.legacy_table,
    a."column",
    a.rule,
    count(*) AS "rows",
    sum(coalesce(octet_length(a.value::text), 0) + coalesce(octet_length(a.sealed), 0))::bigint AS bytes,
    count(a.value) AS clear,
    count(a.sealed) AS sealed,
    count(*) FILTER (WHERE a.withheld) AS withheld
FROM {legacy_archive} AS a
WHERE a.source_id = {source_id} AND a.legacy_table = ANY (%(legacy_tables)s) AND a.table_name = {table_name}
GROUP BY a.legacy_table, a."column", a.rule
ORDER BY a.legacy_table, a."column", a.rule


-- name: last_archive_counts
SELECT c.table_name, c.legacy_table, c."column", c.rule, c."rows", c.bytes, c.clear, c.sealed, c.withheld, c.retired
FROM unnest(%(assets)s::text[]) AS a (asset)
CROSS JOIN LATERAL (
    SELECT max(l.run_id) AS run_id
    FROM {archive_counts} AS l
    JOIN {runs} AS r ON r.id = l.run_id
    WHERE l.table_name = a.asset AND r.source_id = %(source_id)s
) AS last
JOIN {archive_counts} AS c ON c.table_name = a.asset AND c.run_id = last.run_id
ORDER BY c.table_name, c.legacy_table, c."column", c.rule


-- name: retired
SELECT count({column}), coalesce(sum(octet_length({column}::text)), 0)::bigint FROM {table}

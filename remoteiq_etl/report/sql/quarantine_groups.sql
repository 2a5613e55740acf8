-- Open quarantined rows by table and reason, the most first; rows that a person ignores count, too.
SELECT
    q.table_name AS "table",
    q.legacy_table,
    q.rule,
    coalesce((array_agg(DISTINCT q.detail) FILTER (WHERE q.detail <> ''))[1:%(few)s], '{{}}') AS details,
    (
        SELECT coalesce(array_agg(DISTINCT named), '{{}}')
        FROM unnest(string_to_array(string_agg(array_to_string(q.columns, E'\n'), E'\n'), E'\n')) AS named
        WHERE named <> ''
    ) AS columns,
    count(*)::bigint AS "rows",
    count(q.ignored_at)::bigint AS ignored,
    min(q.quarantined_at) AS oldest
FROM {quarantine} AS q
WHERE q.source_id = %(source_id)s AND q.released_run IS NULL
GROUP BY q.table_name, q.legacy_table, q.rule
ORDER BY count(*) DESC, q.table_name, q.rule

-- name: left_out
-- Legacy rows that became none of their own, by rule.
SELECT table_name AS "table", legacy_table, outcome, rule, count(*)::bigint AS "rows"
FROM {left_out}
WHERE source_id = %(source_id)s
GROUP BY table_name, legacy_table, outcome, rule
ORDER BY table_name, legacy_table, outcome, rule

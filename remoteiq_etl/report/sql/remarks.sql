-- Rows that were carried with a remark, since the run that last read all rows of the table (a row read twice counts twice), and
-- decisions of the table that somebody should know of.
SELECT k.table_name AS "table", w.key AS rule, sum(w.value::bigint)::bigint AS "rows"
FROM {ledger} AS k
JOIN {runs} AS r ON r.id = k.run_id
JOIN {assets} AS a ON a.source_id = r.source_id AND a.table_name = k.table_name AND k.run_id >= a.full_run
CROSS JOIN LATERAL jsonb_each_text(k.warnings) AS w
WHERE r.source_id = %(source_id)s
GROUP BY k.table_name, w.key
UNION ALL
SELECT d.table_name, d.rule, count(*) FROM {decision_warnings} AS d WHERE d.source_id = %(source_id)s GROUP BY d.table_name, d.rule
ORDER BY 1, 2

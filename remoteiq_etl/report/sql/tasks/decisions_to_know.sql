-- What decisions warn of, by table and rule, with the number of keys.
SELECT w.table_name || ' ' || w.rule || ': ' || count(*) AS key
FROM {decision_warnings} AS w
WHERE w.source_id = %(source_id)s
GROUP BY w.table_name, w.rule

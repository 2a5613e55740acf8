-- Accounts of which a run said that their second factor is carried as it is, and may not work.
SELECT w.key || ' ' || n AS key
FROM {ledger} AS k
JOIN {runs} AS r ON r.id = k.run_id
JOIN {assets} AS a ON a.source_id = r.source_id AND a.table_name = k.table_name AND k.run_id >= a.full_run
CROSS JOIN LATERAL jsonb_each_text(k.warnings) AS w
CROSS JOIN LATERAL generate_series(1, w.value::int) AS n
WHERE r.source_id = %(source_id)s AND k.table_name = 'user_security' AND w.key IN ('totp_unreadable', 'totp_parameters')

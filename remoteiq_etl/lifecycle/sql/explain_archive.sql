SELECT
    "column", value, rule,
    CASE WHEN sealed IS NOT NULL THEN 'sealed' WHEN withheld THEN 'withheld' ELSE 'in clear' END AS kept,
    run_id, gone_run
FROM {legacy_archive}
WHERE source_id = %(source_id)s AND legacy_table = %(table)s AND legacy_key = %(key)s
ORDER BY "column"

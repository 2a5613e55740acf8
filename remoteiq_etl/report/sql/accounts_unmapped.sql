-- The same of a target table that has no map: only what waits, or became nothing of its own.
SELECT outcome, count(*)::bigint
FROM (
    SELECT 'quarantined' AS outcome FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT 'held' FROM {held}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT CASE outcome WHEN 'archived' THEN 'archived only' ELSE outcome END FROM {left_out}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s
) AS every
GROUP BY outcome

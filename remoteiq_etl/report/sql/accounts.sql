-- What stands for each key of one legacy table in one target table: each key once, what keeps it back before what it was.
WITH lost AS (
    SELECT legacy_key FROM {gone}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND returned_run IS NULL
), waiting AS (
    SELECT legacy_key, 'quarantined' AS outcome FROM {quarantine}
    WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s AND released_run IS NULL
    UNION ALL
    SELECT h.legacy_key, 'held' FROM {held} AS h
    WHERE h.source_id = %(source_id)s AND h.table_name = %(table)s AND h.legacy_table = %(legacy_table)s
      AND h.released_run IS NULL
      AND NOT EXISTS (
          SELECT FROM {quarantine} AS q
          WHERE q.source_id = h.source_id AND q.table_name = h.table_name AND q.legacy_table = h.legacy_table
            AND q.legacy_key = h.legacy_key AND q.released_run IS NULL
      )
), left_out AS (
    SELECT l.legacy_key, CASE l.outcome WHEN 'merged' THEN 'merged' WHEN 'archived' THEN 'archived only' ELSE l.outcome END AS outcome
    FROM {left_out} AS l
    WHERE l.source_id = %(source_id)s AND l.table_name = %(table)s AND l.legacy_table = %(legacy_table)s
      AND NOT EXISTS (SELECT FROM waiting AS w WHERE w.legacy_key = l.legacy_key)
), mapped AS (
    SELECT m.legacy_key::text AS legacy_key,
        CASE m.state
            WHEN 'live' THEN CASE WHEN m.adopted THEN 'adopted' ELSE 'migrated' END
            WHEN 'deleted' THEN 'deleted in target'
            WHEN 'undone' THEN 'taken back'
            ELSE m.state
        END AS outcome
    FROM {map} AS m
    WHERE m.source_id = %(source_id)s AND m.legacy_table = %(legacy_table)s AND m.state <> 'decided'
      AND NOT EXISTS (SELECT FROM waiting AS w WHERE w.legacy_key = m.legacy_key::text)
      AND NOT EXISTS (SELECT FROM left_out AS l WHERE l.legacy_key = m.legacy_key::text)
)
SELECT outcome, count(*)::bigint
FROM (SELECT * FROM waiting UNION ALL SELECT * FROM left_out UNION ALL SELECT * FROM mapped) AS every
WHERE NOT EXISTS (SELECT FROM lost WHERE lost.legacy_key = every.legacy_key)
GROUP BY outcome

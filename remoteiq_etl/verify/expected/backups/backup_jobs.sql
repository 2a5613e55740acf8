-- rows: backup_jobs
-- reads: backups_config(id)
-- carried from backup_jobs: note, size_bytes, duration_sec, verified
WITH chosen AS (
    SELECT p.new_key AS policy_id
    FROM legacy_backups_config AS l
    LEFT JOIN map_backup_policies AS d
        ON d.legacy_table = 'config' AND d.legacy_key = 'used' AND d.decision ->> 'id' = l.id
    LEFT JOIN map_backup_policies AS p
        ON p.legacy_table = 'backups_config' AND p.legacy_key = l.id AND p.state IN ('live', 'merged')
    ORDER BY (d.legacy_key IS NULL), (l.id <> 'singleton'), l.id COLLATE "C"
    LIMIT 1
),

texts AS MATERIALIZED (
    SELECT t.status AS text, pg_temp.normalised(t.status) AS word
    FROM (SELECT DISTINCT status FROM legacy_backup_jobs) AS t
),

known AS (
    SELECT
        l.*,
        state.word,
        l.started_at AS start,
        l.finished_at AS finish
    FROM legacy_backup_jobs AS l
    LEFT JOIN texts AS state ON state.text = l.status
)

SELECT
    'backup_jobs' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    (SELECT c.policy_id FROM chosen AS c) AS policy_id,
    coalesce(
        CASE WHEN w.label IN ('pending', 'running') THEN 'cancelled' ELSE w.label END,
        CASE l.word
            WHEN 'success' THEN 'completed'
            WHEN 'failed' THEN 'failed'
            WHEN 'cancelled' THEN 'cancelled'
            WHEN 'running' THEN 'cancelled'
        END
    ) AS status,
    l.note,
    l.size_bytes,
    l.duration_sec,
    l.verified,
    l.cancelled OR coalesce(w.label IN ('pending', 'running'), l.word = 'running', false) AS cancelled,
    l.artifact_location,
    coalesce(l.start, l.finish) AS started_at,
    l.finish AS finished_at,
    NULL AS error,
    coalesce(l.start, l.finish) AS created_at
FROM known AS l
LEFT JOIN added_word AS w ON w.value_map = 'backup_jobs.status' AND pg_temp.normalised(w.word) = l.word
LEFT JOIN map_backup_jobs AS m ON m.legacy_table = 'backup_jobs' AND m.legacy_key = l.id::text

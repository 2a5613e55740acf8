-- rows: backup_restores
-- not compared: requested_by: no legacy source, nobody was recorded
-- carried from backup_restores: note as notes
WITH texts AS MATERIALIZED (
    SELECT t.status AS text, pg_temp.normalised(t.status) AS word
    FROM (SELECT DISTINCT status FROM legacy_backup_restores) AS t
),

known AS (
    SELECT
        l.*,
        state.word,
        l.requested_at AS request,
        l.finished_at AS finish
    FROM legacy_backup_restores AS l
    LEFT JOIN texts AS state ON state.text = l.status
)

SELECT
    'backup_restores' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    j.new_key AS backup_job_id,
    coalesce(l.request, l.finish) AS requested_at,
    coalesce(
        CASE WHEN w.label IN ('pending', 'running') THEN 'cancelled' ELSE w.label END,
        CASE l.word
            WHEN 'success' THEN 'completed'
            WHEN 'failed' THEN 'failed'
            WHEN 'cancelled' THEN 'cancelled'
            WHEN 'running' THEN 'cancelled'
        END
    ) AS status,
    l.note AS notes,
    coalesce(l.request, l.finish) AS created_at,
    coalesce(l.finish, l.request) AS updated_at
FROM known AS l
LEFT JOIN added_word AS w ON w.value_map = 'backup_jobs.status' AND pg_temp.normalised(w.word) = l.word
LEFT JOIN map_backup_restores AS m ON m.legacy_table = 'backup_restores' AND m.legacy_key = l.id::text
LEFT JOIN map_backup_jobs AS j
    ON j.legacy_table = 'backup_jobs' AND j.legacy_key = l.backup_id::text AND j.state IN ('live', 'merged')

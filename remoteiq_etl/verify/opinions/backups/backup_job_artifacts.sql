-- rows: backup_jobs
-- not compared: checksum: no legacy source, the legacy application kept none
WITH places AS (
    SELECT
        l.id,
        l.size_bytes,
        coalesce(
            CASE WHEN isfinite(l.finished_at) THEN l.finished_at END,
            CASE WHEN isfinite(l.started_at) THEN l.started_at END
        ) AS created_at,
        nullif(btrim(l.artifact_location ->> 'kind'), '') AS kind,
        nullif(btrim(l.artifact_location ->> 'path'), '') AS path,
        nullif(btrim(l.artifact_location ->> 'bucket'), '') AS bucket,
        nullif(btrim(l.artifact_location ->> 'key'), '') AS object_key,
        nullif(btrim(l.artifact_location ->> 'fileId'), '') AS file_id,
        l.artifact_location AS place
    FROM legacy_backup_jobs AS l
),

named AS (
    SELECT
        p.*,
        CASE
            WHEN p.path IS NOT NULL THEN p.place ->> 'path'
            WHEN p.bucket IS NOT NULL AND p.object_key IS NOT NULL
                THEN 's3://' || (p.place ->> 'bucket') || '/' || (p.place ->> 'key')
            WHEN p.file_id IS NOT NULL THEN 'gdrive:' || (p.place ->> 'fileId')
        END AS storage_location
    FROM places AS p
)

SELECT
    'backup_jobs' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    j.new_key AS backup_job_id,
    CASE WHEN l.kind IS NULL THEN 'unknown' ELSE l.place ->> 'kind' END AS artifact_type,
    l.storage_location,
    l.size_bytes,
    l.created_at
FROM named AS l
LEFT JOIN map_backup_job_artifacts AS m ON m.legacy_table = 'backup_jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_backup_jobs AS j
    ON j.legacy_table = 'backup_jobs' AND j.legacy_key = l.id::text AND j.state IN ('live', 'merged')
WHERE l.storage_location IS NOT NULL

-- rows: backup_jobs
-- not compared: checksum: no legacy source, the legacy application kept none
WITH places AS (
    SELECT
        l.id,
        l.size_bytes,
        coalesce(
            l.finished_at,
            l.started_at
        ) AS created_at,
        (jsonb_path_query_first(l.artifact_location, '$.kind ? (@.type() == "string")')) #>> '{}' AS kind,
        (jsonb_path_query_first(l.artifact_location, '$.path ? (@.type() == "string")')) #>> '{}' AS path,
        (jsonb_path_query_first(l.artifact_location, '$.bucket ? (@.type() == "string")')) #>> '{}' AS bucket,
        (jsonb_path_query_first(l.artifact_location, '$.key ? (@.type() == "string")')) #>> '{}' AS object_key,
        (jsonb_path_query_first(l.artifact_location, '$.fileId ? (@.type() == "string")')) #>> '{}' AS file_id
    FROM legacy_backup_jobs AS l
    WHERE jsonb_typeof(l.artifact_location) = 'object'
),

named AS (
    SELECT
        p.*,
        CASE
            WHEN pg_temp.tidy(p.path) IS NOT NULL THEN p.path
            WHEN pg_temp.tidy(p.bucket) IS NOT NULL AND pg_temp.tidy(p.object_key) IS NOT NULL THEN 's3://' || p.bucket || '/' || p.object_key
            WHEN pg_temp.tidy(p.file_id) IS NOT NULL THEN 'gdrive:' || p.file_id
        END AS storage_location
    FROM places AS p
)

SELECT
    'backup_jobs' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    j.new_key AS backup_job_id,
    CASE WHEN pg_temp.tidy(l.kind) IS NOT NULL THEN l.kind ELSE 'unknown' END AS artifact_type,
    l.storage_location,
    l.size_bytes,
    l.created_at
FROM named AS l
LEFT JOIN map_backup_job_artifacts AS m ON m.legacy_table = 'backup_jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_backup_jobs AS j
    ON j.legacy_table = 'backup_jobs' AND j.legacy_key = l.id::text AND j.state IN ('live', 'merged')
WHERE l.storage_location IS NOT NULL

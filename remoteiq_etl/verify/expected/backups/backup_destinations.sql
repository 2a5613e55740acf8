-- reads: backups_config
-- not compared: created_at, updated_at: no legacy source, the default at insert
WITH chosen AS (
    SELECT l.*
    FROM legacy_backups_config AS l
    LEFT JOIN map_backup_destinations AS d
        ON d.legacy_table = 'config' AND d.legacy_key = 'used' AND d.decision ->> 'id' = l.id
    ORDER BY (d.legacy_key IS NULL), (l.id <> 'singleton'), l.id COLLATE "C"
    LIMIT 1
),

described AS (
    SELECT
        c.id,
        CASE jsonb_typeof(c.destination)
            WHEN 'object' THEN c.destination
            WHEN 'string' THEN jsonb_build_object('value', c.destination, 'path', c.destination)
            ELSE '{}'::jsonb
        END AS destination
    FROM chosen AS c
),

known AS (
    SELECT
        d.id,
        CASE
            WHEN jsonb_typeof(d.destination -> 'kind') = 'string' AND pg_temp.tidy(d.destination ->> 'kind') IS NOT NULL
                THEN d.destination
            -- A path of its own: of a server, of a Windows drive, or of a share.
            WHEN
                jsonb_typeof(d.destination -> 'path') = 'string'
                AND d.destination ->> 'path' COLLATE "C" ~ '^(/|\\\\|[A-Za-z]:[\\/])'
                THEN d.destination || '{"kind": "local"}' || CASE
                    WHEN d.destination ? 'kind'
                        THEN jsonb_build_object(
                            'legacyValues',
                            CASE coalesce(jsonb_typeof(d.destination -> 'legacyValues'), 'null')
                                WHEN 'object' THEN d.destination -> 'legacyValues'
                                WHEN 'null' THEN '{}'
                                ELSE jsonb_build_object('value', d.destination -> 'legacyValues')
                            END || jsonb_build_object('kind', d.destination -> 'kind')
                        )
                    ELSE '{}'
                END
        END AS configuration
    FROM described AS d
)

SELECT
    'backups_config' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'Default Backup Destination' AS name,
    CASE WHEN pg_temp.normalised(l.configuration ->> 'kind') = 'remote' THEN 'sftp' ELSE l.configuration ->> 'kind' END AS provider,
    l.configuration
FROM known AS l
CROSS JOIN source AS s
LEFT JOIN map_backup_destinations AS m ON m.legacy_table = 'backups_config' AND m.legacy_key = l.id

-- reads: imap_state, imap_ingested(purpose, uid, created_at)
-- not compared: created_at: no legacy source, the default at insert
WITH texts AS MATERIALIZED (
    SELECT t.purpose AS text, regexp_replace(pg_temp.normalised(t.purpose), '^password resets$', 'password_resets') AS form
    FROM (SELECT purpose FROM legacy_imap_state UNION SELECT purpose FROM legacy_imap_ingested) AS t
),

states AS (
    SELECT
        t.form,
        max(l.last_uid) AS last_uid,
        max(l.updated_at) AS updated_at
    FROM legacy_imap_state AS l
    JOIN texts AS t ON t.text = l.purpose
    GROUP BY t.form
),

mails AS (
    SELECT
        t.form,
        max(l.uid) AS last_uid,
        max(l.created_at) AS created_at
    FROM legacy_imap_ingested AS l
    JOIN texts AS t ON t.text = l.purpose
    GROUP BY t.form
)

SELECT
    'derived' AS _legacy_table,
    coalesce(s.form, i.form) AS _legacy_key,
    c.new_key AS channel_id,
    -- Neither ever goes down: the new application goes on from where it is.
    greatest(s.last_uid, i.last_uid, t.last_uid) AS last_uid,
    greatest(s.updated_at, i.created_at, t.last_synced_at) AS last_synced_at,
    coalesce(s.updated_at, i.created_at) AS updated_at
FROM states AS s
FULL JOIN mails AS i ON i.form = s.form
LEFT JOIN map_email_channels AS c ON c.legacy_table = 'purpose' AND c.legacy_key = coalesce(s.form, i.form)
LEFT JOIN target_email_ingest_state AS t ON t.channel_id = c.new_key
WHERE coalesce(s.form, i.form) IS NOT NULL

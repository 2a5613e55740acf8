-- The recorded name of a channel made of a purpose is a spelling that legacy uses; the four known ones keep their word.
-- reads: imap_state(purpose), imap_ingested(purpose), email_inbound_events(purpose)
WITH used AS (
    SELECT purpose FROM legacy_imap_state
    UNION
    SELECT purpose FROM legacy_imap_ingested
    UNION
    SELECT purpose FROM legacy_email_inbound_events
),

spelled AS (
    SELECT pg_temp.tidy(purpose) AS name, pg_temp.normalised(purpose) AS word FROM used
)

SELECT
    'email_channels' AS table_name,
    m.legacy_key::text AS key,
    'no purpose is spelled like the recorded name: purpose' AS finding
FROM map_email_channels AS m
WHERE
    m.legacy_table = 'derived'
    AND m.state = 'live'
    AND m.legacy_key::text IN (SELECT word FROM spelled)
    AND m.legacy_key::text NOT IN ('alerts', 'invites', 'password_resets', 'reports')
    AND NOT EXISTS (
        SELECT FROM spelled AS s WHERE s.word = m.legacy_key::text AND s.name = m.decision ->> 'name'
    )

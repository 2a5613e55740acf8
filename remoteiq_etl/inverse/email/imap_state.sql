-- The states that were merged into that of their channel, by the purpose under which they were left out.
-- exact: purpose
-- lost: last_uid: the greatest of the channel, with those of the mail taken in
-- lost: updated_at: of several spellings of a purpose the latest
SELECT l.legacy_key AS purpose, t.last_uid, t.updated_at
FROM {state}.left_out AS l
JOIN {state}.legacy_email_channels_map AS m
    ON m.source_id = {source} AND m.legacy_table = 'purpose' AND m.legacy_key = lower(btrim(l.legacy_key) COLLATE "C")
JOIN {target}.email_ingest_state AS t ON t.channel_id = m.new_key
WHERE l.source_id = {source} AND l.table_name = 'email_ingest_state' AND l.legacy_table = 'imap_state'

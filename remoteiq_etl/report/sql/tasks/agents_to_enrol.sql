-- Agents whose token has no column in the target.
SELECT legacy_key AS key FROM {legacy_archive}
WHERE source_id = %(source_id)s AND legacy_table = 'agents' AND "column" = 'token_hash' AND gone_run IS NULL
  AND rule = 'must_enrol_again'

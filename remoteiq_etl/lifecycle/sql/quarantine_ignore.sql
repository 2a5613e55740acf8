-- Let rows be ignored, or, without a reason, no longer.
UPDATE {quarantine}
SET ignored_at = CASE WHEN %(reason)s::text IS NOT NULL THEN pg_catalog.clock_timestamp() END,
    ignored_by = CASE WHEN %(reason)s::text IS NOT NULL THEN %(actor)s::text END,
    ignored_reason = %(reason)s::text
WHERE {selected}

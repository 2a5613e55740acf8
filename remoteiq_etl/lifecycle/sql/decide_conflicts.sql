-- An operator's decision about open conflicts. A run that resolves one meanwhile was first.
UPDATE {conflicts}
SET decision = %(decision)s, decision_reason = %(reason)s, decided_at = now()
WHERE id = ANY (%(ids)s) AND resolved_run IS NULL

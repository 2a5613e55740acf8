-- Software of agents. New rows have a number above those of legacy.
-- keys: agent_software
-- new: EXISTS (SELECT FROM {views}.agent_keys AS o WHERE o.agent_id = n.agent_id)
-- exact: agent_id, name, version, publisher, updated_at, id
-- lost: install_date: a date that could be read is kept as a time, not in the form in which it was written
SELECT
    ag.legacy_key AS agent_id,
    t.name,
    t.version,
    t.publisher,
    coalesce(to_char(t.install_date AT TIME ZONE 'UTC', 'YYYY-MM-DD'), a.install_date) AS install_date,
    t.updated_at,
    r.legacy_key AS id
FROM {rows} AS r
JOIN {target}.agent_software AS t ON t.id = r.new_key
JOIN {views}.agent_keys AS ag ON ag.agent_id = t.agent_id
{archived}

-- Runs of checks. Of the words of legacy only those are kept that say more than their label.
-- keys: check_runs
-- new: EXISTS (SELECT FROM {target}.check_assignments AS s JOIN {target}.checks AS o ON o.id = s.check_id WHERE s.id = n.assignment_id AND s.target_type = 'device' AND o.organization_id = {organization})
-- exact: id, output
-- archive: finished_at
-- lost: assignment_id: a run without one reads as one of the only assignment of its device
-- lost: device_id: another text for the device of the assignment reads as the assignment's
-- lost: status: of words that mean one label the commonest
-- lost: severity: a word that was not given reads as that of its check or status
-- lost: metrics: what is no object, where a word or a device was added to it
-- lost: started_at: a missing one is filled
-- lost: created_at: a missing one is filled
SELECT
    r.legacy_key AS id,
    CASE
        WHEN a.assignment_id IS NOT NULL THEN a.assignment_id
        WHEN m.legacy_table IS NULL THEN t.assignment_id
        WHEN m.legacy_table = 'check_assignments' THEN m.legacy_key::uuid
    END AS assignment_id,
    coalesce(
        t.metrics #>> '{{legacy,deviceId}}',
        a.device_id,
        CASE WHEN m.legacy_table = 'check_assignments' THEN (
            SELECT h.value #>> '{{}}'
            FROM {state}.legacy_archive AS h
            WHERE
                h.source_id = {source}
                AND h.legacy_table = 'check_assignments'
                AND h.legacy_key = m.legacy_key::text
                AND h."column" = 'device_id'
        ) END,
        d.legacy_key::text,
        s.target_id::text
    ) AS device_id,
    coalesce(
        t.metrics #>> '{{legacy,status}}',
        CASE t.status WHEN 'passed' THEN 'OK' WHEN 'warning' THEN 'WARN' WHEN 'failed' THEN 'FAIL' ELSE 'MUTED' END
    ) AS status,
    CASE t.severity WHEN 'critical' THEN 'CRIT' WHEN 'high' THEN 'CRIT' WHEN 'medium' THEN 'WARN' WHEN 'low' THEN 'WARN' END AS severity,
    CASE
        WHEN NOT t.metrics ? 'legacy' THEN t.metrics
        WHEN jsonb_typeof(t.metrics -> 'legacyValues') = 'object' AND t.metrics -> 'legacyValues' ? 'legacy'
            THEN t.metrics - 'legacyValues' || (t.metrics -> 'legacyValues')
        ELSE t.metrics - 'legacy'
    END AS metrics,
    t.output,
    t.started_at,
    coalesce(t.finished_at, a.finished_at) AS finished_at,
    t.created_at
FROM {rows} AS r
JOIN {target}.check_runs AS t ON t.id = r.new_key
JOIN {target}.check_assignments AS s ON s.id = t.assignment_id
LEFT JOIN {state}.legacy_check_assignments_map AS m ON m.source_id = {source} AND m.state = 'live' AND m.new_key = t.assignment_id
LEFT JOIN {state}.legacy_devices_map AS d
    ON d.source_id = {source} AND d.legacy_table = 'devices' AND d.state = 'live' AND d.new_key = s.target_id
{archived}

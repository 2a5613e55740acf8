-- What was decided about a device, a check or an assignment leads to the row of the entry that the decision names.
WITH entries AS MATERIALIZED (
    SELECT 'devices' AS entity, legacy_table, legacy_key, new_key, state, decision FROM map_devices
    UNION ALL
    SELECT 'checks', legacy_table, legacy_key, new_key, state, decision FROM map_checks
    UNION ALL
    SELECT 'check_assignments', legacy_table, legacy_key, new_key, state, decision FROM map_check_assignments
)

SELECT d.entity AS table_name, d.legacy_table || ' ' || d.legacy_key AS key, 'leads elsewhere than the entry it names: new_key' AS finding
FROM entries AS d
JOIN entries AS e
    ON e.entity = d.entity
    AND e.legacy_table = d.decision -> 'same_as' ->> 0
    AND e.legacy_key = d.decision -> 'same_as' ->> 1
WHERE d.state = 'decided' AND e.state IN ('live', 'merged') AND d.new_key IS DISTINCT FROM e.new_key

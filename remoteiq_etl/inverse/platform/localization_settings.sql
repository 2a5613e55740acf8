-- The row in force, from the settings of the organization; further rows from the archive.
-- whole: second_singleton_row
-- exact: id, language, date_format, time_format, number_format, time_zone, first_day_of_week, currency
SELECT
    r.legacy_key::integer AS id,
    t.localization ->> 'language' AS language,
    t.localization ->> 'dateFormat' AS date_format,
    t.localization ->> 'timeFormat' AS time_format,
    t.localization ->> 'numberFormat' AS number_format,
    t.localization ->> 'timeZone' AS time_zone,
    t.localization ->> 'firstDayOfWeek' AS first_day_of_week,
    t.localization ->> 'currency' AS currency
FROM (
    SELECT DISTINCT m.legacy_key
    FROM {state}.legacy_settings_map AS m
    WHERE m.source_id = {source} AND m.legacy_table = 'localization_settings'
) AS r
JOIN {target}.organization_settings AS t ON t.organization_id = {organization}
UNION ALL
SELECT w.archive_key::integer, w.language, w.date_format, w.time_format, w.number_format, w.time_zone, w.first_day_of_week, w.currency
FROM {whole} AS w

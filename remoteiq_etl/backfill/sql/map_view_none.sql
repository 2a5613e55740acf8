-- Before the first map there is nothing to show, but the view is there and has its columns.
SELECT
    NULL::text AS entity, NULL::text AS legacy_table, NULL::text AS legacy_key, NULL::text AS new_key, NULL::text AS rule,
    NULL::bigint AS first_run, NULL::bigint AS last_run, NULL::text AS state, NULL::text AS source
WHERE false

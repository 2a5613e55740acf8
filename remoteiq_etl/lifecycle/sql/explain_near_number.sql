-- Keys that are numbers, by their distance from a given one.
SELECT legacy_key::text
FROM {keys}
WHERE {scope} AND legacy_key::text ~ '^[0-9]{{1,18}}$'
ORDER BY abs(CASE WHEN legacy_key::text ~ '^[0-9]{{1,18}}$' THEN legacy_key::text::numeric END - %(key)s::text::numeric)
LIMIT 5

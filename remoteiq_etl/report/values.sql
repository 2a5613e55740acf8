-- name: words
-- The words of each value map and the formats of each parser, the most frequent first.
SELECT name, word, "rows", first_run, last_run FROM {words} WHERE source_id = %(source_id)s ORDER BY name, "rows" DESC, word

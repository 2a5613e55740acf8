-- An e-mail address or a permission key as the new application stores it: trimmed and in lower case; blank is null.
-- lower() is asked of ASCII in the collation C alone, where every server says the same. Each letter is lowered by itself:
-- a capital sigma becomes the one that stands inside a word.
CREATE OR REPLACE FUNCTION pg_temp.lowered(key text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(CASE
        WHEN trimmed ~ '^[\u0001-\u007f]*$' THEN lower(trimmed COLLATE "C")
        ELSE (
            SELECT string_agg(coalesce(f.lowered, c.letter), '' ORDER BY c.place)
            FROM regexp_split_to_table(trimmed, '') WITH ORDINALITY AS c (letter, place)
            LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
        )
    END, '')
    FROM (VALUES ('[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+')) AS white (space)
    CROSS JOIN LATERAL (
        SELECT regexp_replace(regexp_replace(key, '^' || space, ''), space || '$', '') AS trimmed
    ) AS one
$$

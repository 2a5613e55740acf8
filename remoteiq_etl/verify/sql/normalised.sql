-- The spelling of a name without accidental white space: NFC, every Unicode white space to one space, trimmed; blank is null.
CREATE OR REPLACE FUNCTION pg_temp.tidy(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(
        btrim(
            regexp_replace(
                normalize(name, NFC),
                '[\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+',
                ' ',
                'g'
            ),
            ' '
        ),
        ''
    )
$$;

-- A name as the mapping compares it: tidy and case folded. lower() is asked of ASCII in the collation C alone, where every
-- server says the same.
CREATE OR REPLACE FUNCTION pg_temp.normalised(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN t.tidy ~ '^[\u0001-\u007f]*$' THEN lower(t.tidy COLLATE "C")
        ELSE (
            SELECT normalize(string_agg(coalesce(f.folded, c.letter), '' ORDER BY c.place), NFC)
            FROM regexp_split_to_table(t.tidy, '') WITH ORDINALITY AS c (letter, place)
            LEFT JOIN pg_temp.case_fold AS f ON f.letter = c.letter
        )
    END
    FROM (SELECT pg_temp.tidy(name) AS tidy) AS t
$$

-- What this server makes of texts of every length and of letters of one to four bytes.
SELECT array_agg(hashtextextended(repeat(letter, times) COLLATE "C", 0) ORDER BY letter COLLATE "C", times)
FROM unnest(ARRAY['a', 'ä', '€', '😀']) AS letter, generate_series(0, 25) AS times

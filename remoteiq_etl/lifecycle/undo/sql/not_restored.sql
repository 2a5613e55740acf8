-- Rows of the batch that are not what the image's hash says they were. Those with lost columns cannot be.
SELECT count(*)
FROM undo_batch AS r
JOIN {before_images} AS i ON i.id = r.first_image
LEFT JOIN {target} AS t ON {row_join}
WHERE cardinality(r.lost) = 0 AND i.row_hash IS DISTINCT FROM CASE WHEN {absent} THEN NULL ELSE {row_was} END

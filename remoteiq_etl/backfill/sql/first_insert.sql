-- Nothing was there and nothing was mapped: no comparison is needed.
INSERT INTO {target} ({columns})
SELECT {values}
FROM {stage} AS s

-- Keys of one legacy table that are like a given one: beside it in order, or with the same beginning.
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND legacy_key > %(key)s::text::{kind} ORDER BY legacy_key LIMIT 5)
UNION
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND legacy_key < %(key)s::text::{kind} ORDER BY legacy_key DESC LIMIT 5)
UNION
(SELECT legacy_key::text FROM {keys} WHERE {scope} AND lower(left(legacy_key::text, 4)) = lower(left(%(key)s::text, 4)) LIMIT 200)

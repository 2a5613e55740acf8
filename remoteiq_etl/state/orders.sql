-- name: orders
-- What stands of the orders for a source: its last stop, and its last pause unless a resume came after it.
SELECT o.action, o.actor, o.reason, o.given_at, o.fence, o.id
FROM {orders} AS o
WHERE o.source_id = %(source_id)s AND o.id IN (
    SELECT max(s.id) FROM {orders} AS s WHERE s.source_id = %(source_id)s GROUP BY s.action = 'stop'
)

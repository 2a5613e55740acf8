SELECT 'relation', n.nspname, c.relname::text, c.relkind::text, obj_description(c.oid, 'pg_class')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'remoteiq_etl')
UNION ALL
SELECT 'column', n.nspname, c.relname || '.' || a.attname,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)),
    col_description(c.oid, a.attnum)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname IN ('public', 'remoteiq_etl') AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', n.nspname, c.relname || '.' || k.conname, pg_get_constraintdef(k.oid), k.convalidated::text
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'remoteiq_etl')
UNION ALL
SELECT 'index', schemaname, indexname, indexdef, NULL FROM pg_indexes WHERE schemaname IN ('public', 'remoteiq_etl')
UNION ALL
SELECT 'view', schemaname, viewname, definition, NULL FROM pg_views WHERE schemaname IN ('public', 'remoteiq_etl')
UNION ALL
SELECT 'trigger', n.nspname, c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'remoteiq_etl') AND NOT t.tgisinternal
UNION ALL
SELECT 'function', n.nspname, p.proname, pg_get_functiondef(p.oid), NULL
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname IN ('public', 'remoteiq_etl')
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'label', n.nspname, t.typname, e.enumlabel::text, e.enumsortorder::text
FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
ORDER BY 1, 2, 3, 4

-- No task or run of ours is one that the new application would hand to an agent.
SELECT 'agent_tasks' AS table_name, t.id::text AS key, 'it can still run: status' AS finding
FROM map_agent_tasks AS m
JOIN agent_tasks AS t ON t.id::text = m.new_key::text
WHERE m.state = 'live' AND NOT m.adopted AND t.status::text IN ('pending', 'queued', 'running')
UNION ALL
SELECT 'agent_task_runs', r.id::text, 'it can still run: status'
FROM map_agent_task_runs AS m
JOIN agent_task_runs AS r ON r.id::text = m.new_key::text
WHERE m.state = 'live' AND NOT m.adopted AND r.status::text IN ('pending', 'queued', 'running')

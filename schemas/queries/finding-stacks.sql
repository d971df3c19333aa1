-- Findings with every call they are about, a row for each frame of its stack
WITH calls AS (
	SELECT id AS finding_id, 1 AS number, 'call' AS what, ts_ns, cpu, pid, stack_id FROM finding
	UNION ALL SELECT id, 2, 'map', json_extract(facts, '$.map_ns'),
		json_extract(facts, '$.map_cpu'), json_extract(facts, '$.map_pid'),
		json_extract(facts, '$.map_stack_id')
	FROM finding WHERE json_extract(facts, '$.map_ns') IS NOT NULL
	UNION ALL SELECT id, 3, 'other_map', json_extract(facts, '$.other_ns'),
		json_extract(facts, '$.other_cpu'), json_extract(facts, '$.other_pid'),
		json_extract(facts, '$.other_stack_id')
	FROM finding WHERE json_extract(facts, '$.other_ns') IS NOT NULL
	UNION ALL SELECT id, 4, 'unmap', json_extract(facts, '$.unmap_ns'),
		json_extract(facts, '$.unmap_cpu'), json_extract(facts, '$.unmap_pid'),
		json_extract(facts, '$.unmap_stack_id')
	FROM finding WHERE json_extract(facts, '$.unmap_ns') IS NOT NULL
	UNION ALL SELECT id, 5, 'site', NULL, NULL, NULL, json_extract(facts, '$.site_stack_id')
	FROM finding WHERE json_extract(facts, '$.site_stack_id') IS NOT NULL)
SELECT c.finding_id, g.rule, g.severity, d.name AS device, c.what, c.ts_ns, c.cpu, c.pid, t.comm,
	f.depth, y.name AS function, y.module, f.offset_bytes
FROM calls AS c JOIN finding AS g ON g.id = c.finding_id
LEFT JOIN device AS d ON d.id = g.device_id
LEFT JOIN task AS t ON t.pid = c.pid
LEFT JOIN frame AS f ON f.stack_id = c.stack_id
LEFT JOIN symbol AS y ON y.id = f.symbol_id
ORDER BY c.finding_id, c.number, f.depth;

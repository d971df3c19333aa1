-- Findings, gravest first, with the function that broke the rule, the one that mapped and the one that unmapped before
SELECT f.severity, f.confidence, f.rule, d.name AS device, f.ts_ns, f.cpu, f.pid, t.comm,
	broke.name AS function, broke.module AS module, mapper.name AS map_function,
	mapper.module AS map_module, unmapper.name AS unmap_function,
	unmapper.module AS unmap_module, f.stack_id, mapped.id AS map_stack_id,
	unmapped.id AS unmap_stack_id, f.message, f.id
FROM finding AS f
LEFT JOIN device AS d ON d.id = f.device_id
LEFT JOIN task AS t ON t.pid = f.pid
LEFT JOIN mapping AS m ON m.id = f.mapping_id
LEFT JOIN stack AS here ON here.id = f.stack_id
LEFT JOIN symbol AS broke ON broke.id = here.site_symbol_id
LEFT JOIN stack AS mapped
	ON mapped.id = coalesce(json_extract(f.facts, '$.map_stack_id'),
		json_extract(f.facts, '$.site_stack_id'), m.map_stack_id)
LEFT JOIN symbol AS mapper ON mapper.id = mapped.site_symbol_id
LEFT JOIN stack AS unmapped ON unmapped.id = json_extract(f.facts, '$.unmap_stack_id')
LEFT JOIN symbol AS unmapper ON unmapper.id = unmapped.site_symbol_id
ORDER BY CASE f.severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, f.ts_ns, f.id;

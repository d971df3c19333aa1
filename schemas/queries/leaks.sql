-- Mappings that were live when their driver was unbound, by the function that mapped them
SELECT d.name AS device, d.generation, d.driver, y.name AS function, y.module,
	count(*) AS mappings, CAST(total(m.size_bytes) AS INTEGER) AS size_bytes,
	sum(m.confidence = 'certain') AS certain, min(m.map_ns) AS first_map_ns,
	max(m.map_ns) AS last_map_ns, max(m.ended_ns - m.map_ns) AS oldest_age_ns,
	min(m.id) AS first_mapping_id, min(m.map_stack_id) AS first_stack_id
FROM mapping AS m
LEFT JOIN device AS d ON d.id = m.device_id
LEFT JOIN stack AS s ON s.id = m.map_stack_id
LEFT JOIN symbol AS y ON y.id = s.site_symbol_id
WHERE m.end = 'unbound' AND m.confidence <> 'possible'
GROUP BY m.device_id, y.name, y.module
ORDER BY size_bytes DESC, mappings DESC, m.device_id, y.name, y.module;

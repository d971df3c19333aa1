-- The hundred longest lives among mappings that were unmapped
WITH longest AS (
	SELECT id, unmap_ns - map_ns AS lifetime_ns FROM mapping
	WHERE end = 'unmapped' AND map_ns IS NOT NULL ORDER BY unmap_ns - map_ns DESC, id LIMIT 100)
SELECT m.device, m.kind, m.dma_addr, m.size_bytes, m.direction, l.lifetime_ns, m.map_function,
	m.unmap_function, m.id
FROM longest AS l JOIN mappings AS m ON m.id = l.id ORDER BY l.lifetime_ns DESC, m.id;

-- The counters proposed in 2012, of each device and of all; NULL: needs a probe that was not there
WITH of_device AS (
	SELECT device_id,
		max(value) FILTER (WHERE name = 'dma_map_errors') AS dma_map_errors,
		max(value) FILTER (WHERE name = 'dma_map_errors_not_checked')
			AS dma_map_errors_not_checked,
		max(value) FILTER (WHERE name = 'dma_unmap_errors') AS dma_unmap_errors
	FROM device_counter GROUP BY device_id)
SELECT name AS device, generation, driver, coalesce(dma_map_errors, 0) AS dma_map_errors,
	dma_map_errors_not_checked, coalesce(dma_unmap_errors, 0) AS dma_unmap_errors
FROM (SELECT d.id, d.name, d.generation, d.driver, c.dma_map_errors,
		c.dma_map_errors_not_checked, c.dma_unmap_errors
	FROM device AS d LEFT JOIN of_device AS c ON c.device_id = d.id
	UNION ALL SELECT NULL, 'all devices', NULL, NULL, sum(dma_map_errors),
		sum(dma_map_errors_not_checked), sum(dma_unmap_errors)
	FROM of_device)
ORDER BY id IS NULL, id;

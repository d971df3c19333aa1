-- Devices with maps or allocations that failed
SELECT d.name AS device, d.generation, c.value AS failed
FROM device_counter AS c JOIN device AS d ON d.id = c.device_id
WHERE c.name = 'dma_map_errors' AND c.value > 0 ORDER BY c.value DESC, d.id;

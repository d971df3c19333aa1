-- How often a device's mappings are unmapped on another CPU than they were mapped on
SELECT d.name AS device, d.generation, m.map_cpu, m.unmap_cpu, count(*) AS mappings
FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id
WHERE m.end = 'unmapped' AND m.map_cpu <> m.unmap_cpu
GROUP BY m.device_id, m.map_cpu, m.unmap_cpu
ORDER BY mappings DESC, m.device_id, m.map_cpu, m.unmap_cpu;

-- Lifetimes of unmapped mappings, by device and size (powers of two)
WITH life AS (
	SELECT device_id, size_bytes, unmap_ns - map_ns AS lifetime_ns,
		CASE WHEN size_bytes <= 64 THEN 64 WHEN size_bytes <= 256 THEN 256
			WHEN size_bytes <= 1024 THEN 1024 WHEN size_bytes <= 4096 THEN 4096
			WHEN size_bytes <= 16384 THEN 16384 WHEN size_bytes <= 65536 THEN 65536
			WHEN size_bytes <= 262144 THEN 262144
			WHEN size_bytes <= 1048576 THEN 1048576 END AS up_to_bytes
	FROM mapping WHERE end = 'unmapped' AND map_ns IS NOT NULL AND size_bytes IS NOT NULL)
SELECT d.name AS device, d.generation, up_to_bytes, count(*) AS mappings,
	min(lifetime_ns) AS min_ns, CAST(avg(lifetime_ns) AS INTEGER) AS mean_ns,
	max(lifetime_ns) AS max_ns
FROM life LEFT JOIN device AS d ON d.id = device_id
GROUP BY device_id, up_to_bytes ORDER BY device_id, up_to_bytes IS NULL, up_to_bytes;

-- The most mappings live at one time, on all devices: when, and whose they were
WITH life AS (
	SELECT device_id, map_stack_id, size_bytes,
		coalesce(map_ns, (SELECT CAST(value AS INTEGER) FROM run WHERE key = 'first_ns'), 0)
			AS begin_ns,
		coalesce(unmap_ns, ended_ns) AS end_ns
	FROM mapping WHERE map_ns IS NOT NULL OR end <> 'unmatched'),
change AS (
	SELECT begin_ns AS ts_ns, 1 AS by FROM life
	UNION ALL SELECT max(begin_ns, end_ns), -1 FROM life WHERE end_ns IS NOT NULL),
running AS (
	SELECT ts_ns, sum(sum(by)) OVER (ORDER BY ts_ns) AS live FROM change GROUP BY ts_ns),
peak AS (SELECT ts_ns, live FROM running ORDER BY live DESC, ts_ns LIMIT 1)
SELECT p.ts_ns AS peak_ns, p.live AS peak_live, d.name AS device, d.generation, d.driver,
	y.name AS function, y.module, count(*) AS mappings,
	CAST(total(l.size_bytes) AS INTEGER) AS size_bytes
FROM peak AS p
JOIN life AS l ON l.begin_ns <= p.ts_ns AND (l.end_ns IS NULL OR l.end_ns > p.ts_ns)
LEFT JOIN device AS d ON d.id = l.device_id
LEFT JOIN stack AS s ON s.id = l.map_stack_id
LEFT JOIN symbol AS y ON y.id = s.site_symbol_id
GROUP BY l.device_id, y.name, y.module
ORDER BY mappings DESC, l.device_id, y.name, y.module;

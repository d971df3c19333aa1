-- Findings by device, driver and rule; query not-judged has those that were only counted
SELECT d.name AS device, d.generation, d.driver, f.rule, f.severity, count(*) AS findings,
	sum(f.confidence = 'certain') AS certain, min(f.ts_ns) AS first_ns, max(f.ts_ns) AS last_ns
FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id
GROUP BY f.device_id, f.rule, f.severity
ORDER BY CASE f.severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, findings DESC,
	f.device_id, f.rule;

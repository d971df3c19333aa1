-- Findings by device, driver and rule, all of them: also those that have no row of their own
SELECT d.name AS device, d.generation, d.driver, g.rule, g.severity, sum(g.count) AS findings,
	coalesce(sum(g.count) FILTER (WHERE g.confidence = 'certain'), 0) AS certain,
	count(DISTINCT g.fingerprint) AS fingerprints, min(g.first_ns) AS first_ns
FROM finding_group AS g LEFT JOIN device AS d ON d.id = g.device_id
GROUP BY g.device_id, g.rule, g.severity
ORDER BY CASE g.severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, findings DESC,
	g.device_id, g.rule;

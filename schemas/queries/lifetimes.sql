-- Lifetimes of unmapped mappings by device, at most 1/32 too high, and by call site, at most twice
SELECT device, generation, driver, what, function, module, kind, direction, unmapped, p50_ns, p90_ns,
	p99_ns, p999_ns, max_ns
FROM (SELECT device_id, device, generation, driver, 'device' AS what, NULL AS function,
		NULL AS module, NULL AS kind, NULL AS direction, count AS unmapped, p50 AS p50_ns,
		p90 AS p90_ns, p99 AS p99_ns, p999 AS p999_ns, max AS max_ns, 0 AS site
	FROM distributions WHERE measure = 'lifetime'
	UNION ALL SELECT device_id, device, generation, driver, 'call site', function, module, kind,
		direction, unmapped, lifetime_p50_ns, lifetime_p90_ns, lifetime_p99_ns, NULL,
		lifetime_max_ns, id
	FROM call_site_rates WHERE unmapped > 0)
ORDER BY device_id, site > 0, unmapped DESC, site;

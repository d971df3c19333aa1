-- How soon a DMA address is mapped again after its unmap, as far as addresses are remembered
SELECT r.device, r.generation, r.driver, d.address_mode, r.count AS reuses, r.min AS min_ns,
	r.p50 AS p50_ns, r.p90 AS p90_ns, r.p99 AS p99_ns, r.max AS max_ns
FROM distributions AS r JOIN device AS d ON d.id = r.device_id
WHERE r.measure = 'reuse' ORDER BY r.count DESC, r.device_id;

-- Sizes of maps and allocations: a row for each bucket that has any, and their share
SELECT d.name AS device, d.generation, d.driver, h.low AS from_bytes, h.high AS to_bytes,
	h.count AS mappings, round(1.0 * h.count / t.count, 4) AS share,
	round(1.0 * sum(h.count) OVER (PARTITION BY h.device_id ORDER BY h.low) / t.count, 4)
		AS up_to_here
FROM histogram AS h
JOIN distribution AS t ON t.device_id = h.device_id AND t.measure = h.measure
JOIN device AS d ON d.id = h.device_id
WHERE h.measure = 'size' ORDER BY h.device_id, h.low;

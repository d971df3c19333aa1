-- Scatter lists: entries given, and the segments that IOMMU or DMA core made of them
SELECT m.device, m.generation, m.driver, m.address_mode, m.lists, m.entries, m.segments, round(m.ratio, 4) AS ratio,
	e.p50 AS entries_p50, e.p99 AS entries_p99, e.max AS entries_max, s.p50 AS segments_p50,
	s.p99 AS segments_p99, s.max AS segments_max
FROM iommu_merge AS m
LEFT JOIN distributions AS e ON e.device_id = m.device_id AND e.measure = 'entries'
LEFT JOIN distributions AS s ON s.device_id = m.device_id AND s.measure = 'segments'
ORDER BY m.entries DESC, m.device_id;

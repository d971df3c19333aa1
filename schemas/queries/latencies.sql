-- Time spent within map and unmap calls, between events of one call; see dmascope-db(5)
SELECT device, generation, driver, measure, count AS calls, sum / count AS mean_ns, min AS min_ns,
	p50 AS p50_ns, p90 AS p90_ns, p99 AS p99_ns, p999 AS p999_ns, max AS max_ns, sum AS sum_ns
FROM distributions
WHERE measure IN ('bounce_to_map', 'iommu_map_to_map', 'iommu_unmap_to_unmap',
	'unmap_sg_to_iommu_unmap')
ORDER BY device_id, measure;

-- DMA addresses in use: span, how full it was, what 4 KiB pages waste, and holes left at the end
WITH live AS (
	SELECT device_id, dma_addr - max(dma_addr + size_bytes) OVER (
			PARTITION BY device_id ORDER BY dma_addr, id
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS hole_bytes
	FROM mapping WHERE end = 'live' AND dma_addr IS NOT NULL AND size_bytes IS NOT NULL),
hole AS (
	SELECT device_id, count(*) AS live, sum(hole_bytes > 0) AS holes,
		total(max(hole_bytes, 0)) AS hole_bytes, max(hole_bytes) AS largest_hole_bytes
	FROM live GROUP BY device_id),
page AS (
	SELECT device_id, total(size_bytes) AS mapped_bytes,
		total(((dma_addr & 4095) + size_bytes + 4095) / 4096 * 4096) AS page_bytes
	FROM mapping WHERE map_ns IS NOT NULL AND dma_addr IS NOT NULL AND kind <> 'sg'
	GROUP BY device_id)
SELECT s.device, s.generation, s.driver, s.address_mode, s.low, s.high, s.span_bytes,
	s.peak_live_bytes, round(s.fill, 4) AS fill,
	round(1 - p.mapped_bytes / nullif(p.page_bytes, 0), 4) AS page_waste,
	coalesce(h.live, 0) AS live_at_end, coalesce(h.holes, 0) AS holes_at_end,
	CAST(coalesce(h.hole_bytes, 0) AS INTEGER) AS hole_bytes_at_end,
	max(coalesce(h.largest_hole_bytes, 0), 0) AS largest_hole_bytes
FROM iova_space AS s
LEFT JOIN hole AS h ON h.device_id = s.device_id
LEFT JOIN page AS p ON p.device_id = s.device_id
ORDER BY s.span_bytes DESC, s.device_id;

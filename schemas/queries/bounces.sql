-- What goes through swiotlb: share of the maps, bytes, reasons, and the most room held at a time
SELECT device, generation, driver, maps, bounces, bounced, round(share, 4) AS share, bytes, forced,
	mask, other, largest_bytes, peak_bytes, peak_ns, iif(dma_mask IS NULL, NULL, printf('0x%x', dma_mask))
		AS dma_mask
FROM bounces ORDER BY bytes DESC, device_id;

-- Devices with their traffic, busiest first
SELECT device, generation, driver, address_mode, maps, unmaps, live_at_end, failed,
	bytes_to_device, bytes_from_device, bytes_bidirectional, bytes_allocated,
	lifetime_p50_ns, lifetime_p99_ns, peak_live_bytes
FROM device_summary ORDER BY maps DESC, device_id;

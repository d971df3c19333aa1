-- Maps, unmaps, syncs, failures and bytes a second, by device
SELECT device, generation, driver, round(seconds, 3) AS seconds, maps, unmaps, syncs, failed,
	bytes, round(maps_per_s, 3) AS maps_per_s, round(unmaps_per_s, 3) AS unmaps_per_s,
	round(syncs_per_s, 3) AS syncs_per_s, round(failed_per_s, 3) AS failed_per_s,
	round(bytes_per_s, 3) AS bytes_per_s,
	round(bytes_to_device_per_s, 3) AS bytes_to_device_per_s,
	round(bytes_from_device_per_s, 3) AS bytes_from_device_per_s,
	round(bytes_bidirectional_per_s, 3) AS bytes_bidirectional_per_s
FROM rates ORDER BY bytes DESC, device_id;

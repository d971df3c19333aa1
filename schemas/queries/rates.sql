-- Maps, unmaps, syncs, failures and bytes a second, by device
SELECT device, generation, driver, round(seconds, 3) AS seconds, maps, unmaps, syncs, failed,
	bytes,
	CAST(printf('%.3g', maps_per_s) AS REAL) + 0 * maps_per_s AS maps_per_s,
	CAST(printf('%.3g', unmaps_per_s) AS REAL) + 0 * unmaps_per_s AS unmaps_per_s,
	CAST(printf('%.3g', syncs_per_s) AS REAL) + 0 * syncs_per_s AS syncs_per_s,
	CAST(printf('%.3g', failed_per_s) AS REAL) + 0 * failed_per_s AS failed_per_s,
	CAST(printf('%.3g', bytes_per_s) AS REAL) + 0 * bytes_per_s AS bytes_per_s,
	CAST(printf('%.3g', bytes_to_device_per_s) AS REAL) + 0 * bytes_to_device_per_s
		AS bytes_to_device_per_s,
	CAST(printf('%.3g', bytes_from_device_per_s) AS REAL) + 0 * bytes_from_device_per_s
		AS bytes_from_device_per_s,
	CAST(printf('%.3g', bytes_bidirectional_per_s) AS REAL) + 0 * bytes_bidirectional_per_s
		AS bytes_bidirectional_per_s
FROM rates ORDER BY bytes DESC, device_id;

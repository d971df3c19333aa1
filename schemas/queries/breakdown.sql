-- Calls and bytes a second by family of calls and by direction, of each device
SELECT device, generation, driver, dimension, key, maps, unmaps, syncs, failed, bytes,
	CAST(printf('%.3g', maps_per_s) AS REAL) + 0 * maps_per_s AS maps_per_s,
	CAST(printf('%.3g', unmaps_per_s) AS REAL) + 0 * unmaps_per_s AS unmaps_per_s,
	CAST(printf('%.3g', syncs_per_s) AS REAL) + 0 * syncs_per_s AS syncs_per_s,
	CAST(printf('%.3g', bytes_per_s) AS REAL) + 0 * bytes_per_s AS bytes_per_s
FROM breakdown_rates WHERE dimension IN ('kind', 'direction')
ORDER BY device_id, dimension, bytes DESC, key;

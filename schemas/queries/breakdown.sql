-- Calls and bytes a second by family of calls and by direction, of each device
SELECT device, generation, driver, dimension, key, maps, unmaps, syncs, failed, bytes,
	round(maps_per_s, 3) AS maps_per_s, round(unmaps_per_s, 3) AS unmaps_per_s,
	round(syncs_per_s, 3) AS syncs_per_s, round(bytes_per_s, 3) AS bytes_per_s
FROM breakdown_rates WHERE dimension IN ('kind', 'direction')
ORDER BY device_id, dimension, bytes DESC, key;

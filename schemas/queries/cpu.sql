-- Calls and bytes a second by CPU: maps where they were made, unmaps where they were made
SELECT device, generation, driver, cpu, maps, unmaps, syncs, failed, bytes,
	round(maps_per_s, 3) AS maps_per_s, round(unmaps_per_s, 3) AS unmaps_per_s,
	round(syncs_per_s, 3) AS syncs_per_s, round(bytes_per_s, 3) AS bytes_per_s
FROM cpu_rates ORDER BY device_id, cpu IS NULL, cpu;

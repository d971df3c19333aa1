-- Maps, unmaps, syncs, failures and bytes a second, by driver
SELECT driver, devices, round(seconds, 3) AS seconds, maps, unmaps, syncs, failed, bytes,
	round(maps_per_s, 3) AS maps_per_s, round(unmaps_per_s, 3) AS unmaps_per_s,
	round(syncs_per_s, 3) AS syncs_per_s, round(failed_per_s, 3) AS failed_per_s,
	round(bytes_per_s, 3) AS bytes_per_s
FROM driver_rates ORDER BY bytes DESC, driver;

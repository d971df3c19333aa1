-- Call sites that map the same memory again and again: what mapping once and syncing would save
SELECT device, generation, driver, function, module, kind, direction, maps, remaps,
	round(1.0 * remaps / maps, 4) AS share, size_bytes / maps AS mean_size_bytes,
	remaps * (size_bytes / maps) AS about_remapped_bytes, lifetime_p50_ns,
	CAST(printf('%.3g', maps_per_s) AS REAL) + 0 * maps_per_s AS maps_per_s, bounced, stack_id, id
FROM call_site_rates WHERE remaps > 0 ORDER BY remaps DESC, id;

-- SPDX-License-Identifier: LGPL-2.1-only
-- which machines bounce: mappings that went through swiotlb, and why
SELECT host, driver, uniqExact(run_id) AS all_runs, sumIf(value, counter = 'maps') AS maps,
	sumIf(value, counter = 'bounced_maps') AS bounced,
	round(100 * bounced / maps, 2) AS bounced_percent,
	sumIf(value, counter = 'bounced_bytes') AS bounced_bytes,
	sumIf(value, counter = 'bounced_mask') AS for_the_mask,
	sumIf(value, counter = 'bounced_forced') AS forced,
	sumIf(value, counter = 'bounced_other') AS for_alignment
FROM counters FINAL WHERE
	{runs}
	AND counter IN ('maps', 'bounced_maps', 'bounced_bytes', 'bounced_mask', 'bounced_forced',
		'bounced_other')
	AND ({driver} = '' OR driver = {driver})
GROUP BY host, driver HAVING bounced > 0 ORDER BY bounced_bytes DESC, host, driver

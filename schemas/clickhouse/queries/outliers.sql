-- SPDX-License-Identifier: LGPL-2.1-only
-- hosts far from the others with the same driver: beyond the quartiles by thrice their distance
SELECT driver, counter, host, per_run, low_quartile, median, high_quartile, hosts
FROM (
	SELECT driver, counter, host, sum(value) / uniqExact(run_id) AS per_run
	FROM counters FINAL WHERE
	{runs}
		AND counter IN ('maps', 'live_at_end', 'live_bytes_at_end', 'peak_live_bytes',
			'bounced_bytes', 'dma_map_errors', 'dma_unmap_errors', 'faults', 'handovers',
			'lifetime_p99')
		AND ({driver} = '' OR driver = {driver})
	GROUP BY driver, counter, host
) AS one ALL INNER JOIN (
	SELECT driver, counter, count() AS hosts, quantileExact(0.25)(x) AS low_quartile,
		quantileExact(0.5)(x) AS median, quantileExact(0.75)(x) AS high_quartile
	FROM (
		SELECT driver, counter, host, sum(value) / uniqExact(run_id) AS x
		FROM counters FINAL WHERE
	{runs}
			AND counter IN ('maps', 'live_at_end', 'live_bytes_at_end',
				'peak_live_bytes', 'bounced_bytes', 'dma_map_errors',
				'dma_unmap_errors', 'faults', 'handovers', 'lifetime_p99')
			AND ({driver} = '' OR driver = {driver})
		GROUP BY driver, counter, host
	)
	GROUP BY driver, counter HAVING hosts >= 8
) AS others USING driver, counter
WHERE per_run > high_quartile + 3 * (high_quartile - low_quartile) AND per_run >= 2 * high_quartile
	OR per_run < low_quartile - 3 * (high_quartile - low_quartile) AND per_run <= low_quartile / 2
ORDER BY driver, counter, per_run DESC, host

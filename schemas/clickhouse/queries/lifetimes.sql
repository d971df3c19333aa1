-- SPDX-License-Identifier: LGPL-2.1-only
-- how long mappings live, per driver, kernel release and day, of the merged histograms
SELECT driver, release, toDate(taken) AS day, uniqExact(run_id) AS all_runs,
	sum(count) AS lifetimes, quantileExactWeighted(0.5)(high, count) AS p50_ns,
	quantileExactWeighted(0.99)(high, count) AS p99_ns,
	quantileExactWeighted(0.999)(high, count) AS p999_ns, max(high) AS longest_ns
FROM histograms FINAL WHERE
	{runs}
	AND measure = 'lifetime' AND ({driver} = '' OR driver = {driver})
GROUP BY driver, release, day ORDER BY driver, release, day

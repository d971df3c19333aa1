-- SPDX-License-Identifier: LGPL-2.1-only
-- which builds of a driver leak, and since which; all builds of drivers that do
SELECT driver, build, min(first) AS first_taken, count() AS all_runs, sum(leaks > 0) AS leaking_runs,
	sum(leaks = 0 AND unjudged > 0) AS unjudged_runs, uniqExactIf(host, leaks > 0) AS leaking_hosts,
	sum(leaks) AS all_leaks, any(since) AS leaks_since, any(since_build) AS leaks_since_build
FROM (
	SELECT driver, run_id, host, build, min(taken) AS first, sum(n) AS leaks,
		min(run_id GLOBAL IN (SELECT run_id FROM not_judged FINAL WHERE
	{runs}
			AND rule IN ('', 'leak-at-unbind', 'leak-growth'))) AS unjudged
	FROM (
		SELECT driver, run_id, host, build, taken, toUInt64(0) AS n
		FROM devices FINAL WHERE
	{runs}
			AND ({driver} = '' OR driver = {driver})
		UNION ALL
		SELECT driver, run_id, host, build, taken, count AS n
		FROM finding_groups FINAL WHERE
	{runs}
			AND ({driver} = '' OR driver = {driver})
			AND rule IN ('leak-at-unbind', 'leak-growth') AND severity <> 'info'
	)
	GROUP BY driver, run_id, host, build
) AS ran ALL INNER JOIN (
	SELECT driver, min(taken) AS since,
		argMin(build, concat(toString(taken), build)) AS since_build
	FROM finding_groups FINAL WHERE
	{runs}
		AND ({driver} = '' OR driver = {driver})
		AND rule IN ('leak-at-unbind', 'leak-growth') AND severity <> 'info'
	GROUP BY driver
) AS leaky USING driver
GROUP BY driver, build ORDER BY driver, first_taken, build

-- SPDX-License-Identifier: LGPL-2.1-only
-- what there is: hosts, runs and mappings of each build
SELECT build, release, uniqExact(host) AS hosts, count() AS all_runs, sum(mappings) AS all_mappings,
	sum(events) AS all_events, sum(gaps > 0) AS runs_with_gaps, min(taken) AS first_taken,
	max(taken) AS last_taken
FROM runs FINAL WHERE
	{runs}
GROUP BY build, release ORDER BY first_taken, build, release

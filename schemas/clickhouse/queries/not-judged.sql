-- SPDX-License-Identifier: LGPL-2.1-only
-- what could not be judged, why, and on how many hosts
SELECT rule, uniqExact(host) AS hosts, uniqExact(run_id) AS all_runs, reason
FROM not_judged FINAL WHERE
	{runs}
	AND ({driver} = '' OR driver = {driver})
GROUP BY rule, reason ORDER BY hosts DESC, all_runs DESC, rule, reason LIMIT 1000

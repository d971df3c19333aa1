-- SPDX-License-Identifier: LGPL-2.1-only
-- findings by fingerprint: on how many hosts, first and last seen; the 1,000 gravest
SELECT severity, rule, uniqExact(host) AS hosts, uniqExact(run_id) AS all_runs,
	sum(count) AS findings, min(taken) AS first_seen,
	argMin(build, concat(toString(taken), build)) AS first_build, max(taken) AS last_seen,
	argMax(build, concat(toString(taken), build)) AS last_build, fingerprint
FROM finding_groups FINAL WHERE
	{runs}
	AND ({driver} = '' OR driver = {driver})
GROUP BY severity, rule, fingerprint
ORDER BY indexOf(['error', 'warning', 'info'], severity), hosts DESC, findings DESC, rule, fingerprint
LIMIT 1000

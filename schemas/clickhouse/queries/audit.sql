-- SPDX-License-Identifier: LGPL-2.1-only
-- runs whose rows are not all there: none, if all is well
SELECT host, build, taken, run, told_mappings, there_mappings, told_groups, there_groups
FROM (
	SELECT run_id, max(host) AS host, max(build) AS build, max(taken) AS taken,
		lower(hex(run_id)) AS run, sum(told_m) AS told_mappings, sum(there_m) AS there_mappings,
		sum(told_g) AS told_groups, sum(there_g) AS there_groups
	FROM (
		SELECT run_id, host, build, taken, mappings AS told_m, toUInt64(0) AS there_m,
			finding_groups AS told_g, toUInt64(0) AS there_g
		FROM runs FINAL WHERE
	{runs}
		UNION ALL
		SELECT run_id, host, build, taken, toUInt64(0) AS told_m, toUInt64(1) AS there_m,
			toUInt64(0) AS told_g, toUInt64(0) AS there_g
		FROM mappings FINAL WHERE
	{runs}
		UNION ALL
		SELECT run_id, host, build, taken, toUInt64(0) AS told_m, toUInt64(0) AS there_m,
			toUInt64(0) AS told_g, toUInt64(1) AS there_g
		FROM finding_groups FINAL WHERE
	{runs}
	)
	GROUP BY run_id
)
WHERE told_mappings <> there_mappings OR told_groups <> there_groups
ORDER BY host, build, taken, run

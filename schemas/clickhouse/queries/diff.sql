-- SPDX-License-Identifier: LGPL-2.1-only
-- what build --head has and --base has not: findings by fingerprint, over all runs of each
SELECT multiIf(base_all = 0 OR head_all = 0, 'not judged',
		base_found = 0 AND base_unjudged = base_all, 'not judged',
		head_found = 0 AND head_unjudged = head_all, 'not judged',
		base_found = 0, 'new', head_found = 0, 'fixed',
		head_found * base_all > 2 * base_found * head_all, 'worse',
		base_found * head_all > 2 * head_found * base_all, 'better', 'unchanged') AS state,
	severity, rule, base_found, base_all, head_found, head_all, base_findings, head_findings,
	fingerprint
FROM (
	SELECT severity, rule, fingerprint, base_found, head_found, base_findings, head_findings,
		base_all, head_all
	FROM (
		SELECT 1 AS one, severity, rule, fingerprint,
			uniqExactIf(run_id, build = {base}) AS base_found,
			uniqExactIf(run_id, build = {head}) AS head_found,
			sumIf(count, build = {base}) AS base_findings,
			sumIf(count, build = {head}) AS head_findings
		FROM finding_groups FINAL WHERE
	{runs}
			AND build IN ({base}, {head}) AND ({driver} = '' OR driver = {driver})
		GROUP BY severity, rule, fingerprint
	) AS found ALL INNER JOIN (
		SELECT 1 AS one, countIf(build = {base}) AS base_all,
			countIf(build = {head}) AS head_all
		FROM runs FINAL WHERE
	{runs}
	) AS every USING one
) AS counted ALL LEFT JOIN (
	SELECT rule, uniqExactIf(run_id, build = {base}) AS base_unjudged,
		uniqExactIf(run_id, build = {head}) AS head_unjudged
	FROM not_judged FINAL WHERE
	{runs}
		AND build IN ({base}, {head}) AND device = ''
	GROUP BY rule
) AS unjudged USING rule
ORDER BY indexOf(['new', 'worse', 'not judged', 'unchanged', 'better', 'fixed'], state),
	indexOf(['error', 'warning', 'info'], severity), rule, fingerprint

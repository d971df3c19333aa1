-- SPDX-License-Identifier: LGPL-2.1-only
-- builds --base and --head side by side: merged distributions of each driver
SELECT driver, measure, unit,
	sumIf(count, build = {base}) AS base_count, sumIf(count, build = {head}) AS head_count,
	quantileExactWeightedIf(0.5)(high, count, build = {base}) AS base_p50,
	quantileExactWeightedIf(0.5)(high, count, build = {head}) AS head_p50,
	quantileExactWeightedIf(0.99)(high, count, build = {base}) AS base_p99,
	quantileExactWeightedIf(0.99)(high, count, build = {head}) AS head_p99,
	round(head_p99 / base_p99, 2) AS p99_ratio
FROM histograms FINAL WHERE
	{runs}
	AND build IN ({base}, {head}) AND ({driver} = '' OR driver = {driver})
GROUP BY driver, measure, unit HAVING base_count > 0 AND head_count > 0
ORDER BY driver, measure

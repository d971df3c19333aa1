-- SPDX-License-Identifier: LGPL-2.1-only
-- who maps most: functions of each driver; the 1,000 with most maps
SELECT driver, function, module, uniqExact(host) AS hosts, sum(maps) AS all_maps,
	sum(size_bytes) AS all_bytes, sum(live) AS live_at_end, sum(bounced) AS all_bounced,
	max(lifetime_max_ns) AS longest_ns
FROM call_sites FINAL WHERE
	{runs}
	AND ({driver} = '' OR driver = {driver})
GROUP BY driver, function, module ORDER BY all_maps DESC, driver, function, module LIMIT 1000

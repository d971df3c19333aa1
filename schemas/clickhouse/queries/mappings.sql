-- SPDX-License-Identifier: LGPL-2.1-only
-- what is mapped: rows of mappings by driver, kind and direction
SELECT driver, kind, direction, count() AS rows, sum(size_bytes) AS bytes,
	countIf(ending = 'unmapped') AS unmapped, countIf(ending = 'live') AS live,
	countIf(bounced = 1) AS bounced_rows, sum(lifetime_ns) AS lived_ns, max(lifetime_ns) AS longest_ns
FROM mappings FINAL WHERE
	{runs}
	AND ({driver} = '' OR driver = {driver})
GROUP BY driver, kind, direction ORDER BY driver, kind, direction

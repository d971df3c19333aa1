-- SPDX-License-Identifier: LGPL-2.1-only
-- the 100 mappings that lived longest, of all runs
SELECT lifetime_ns, host, build, driver, device, kind, size_bytes, map_function, map_ns,
	lower(hex(run_id)) AS run, mapping_id
FROM (
	SELECT lifetime_ns, host, build, driver, device, kind, size_bytes, map_function, map_ns,
		run_id, mapping_id
	FROM mappings WHERE
	{runs}
		AND lifetime_ns > 0 AND ({driver} = '' OR driver = {driver})
	ORDER BY lifetime_ns DESC, run_id, mapping_id LIMIT 1000
)
ORDER BY lifetime_ns DESC, run_id, mapping_id LIMIT 1 BY run_id, mapping_id LIMIT 100

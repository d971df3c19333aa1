-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table finding_groups, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	g.id AS group_id, g.rule, g.severity, g.confidence,
	coalesce(g.reason, '') AS reason, coalesce(d.driver, '') AS driver, coalesce(d.name, '') AS device,
	coalesce(g.device_id, 0) AS device_id, g.fingerprint, g.count, g.first_ns
FROM finding_group AS g LEFT JOIN device AS d ON d.id = g.device_id ORDER BY g.id

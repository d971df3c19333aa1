-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table not_judged, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	n.id AS row_id, coalesce(n.rule, '') AS rule,
	coalesce(d.driver, '') AS driver, coalesce(d.name, '') AS device, n.reason
FROM not_judged AS n LEFT JOIN device AS d ON d.id = n.device_id ORDER BY n.id

-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table counters, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, d.name AS device, d.id AS device_id,
	c.name AS counter, c.value, c.unit
FROM device_counter AS c JOIN device AS d ON d.id = c.device_id ORDER BY c.device_id, c.name

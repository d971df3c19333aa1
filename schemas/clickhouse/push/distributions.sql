-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table distributions, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, d.name AS device, d.id AS device_id,
	x.measure, x.unit, x.count, x.sum, x.min, x.max
FROM distribution AS x JOIN device AS d ON d.id = x.device_id ORDER BY x.device_id, x.measure

-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table histograms, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, d.name AS device, d.id AS device_id,
	h.measure, h.low, h.high, h.count, h.unit
FROM histogram AS h JOIN device AS d ON d.id = h.device_id ORDER BY h.device_id, h.measure, h.low

-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table series, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, d.name AS device, d.id AS device_id,
	s.measure, s.start_ns, s.length_ns, s.value, s.unit
FROM series AS s JOIN device AS d ON d.id = s.device_id
ORDER BY s.device_id, s.measure, s.start_ns

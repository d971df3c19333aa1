-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table call_sites, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, d.name AS device, d.id AS device_id,
	c.id AS site_id, coalesce(y.name, '') AS function, coalesce(y.module, '') AS module,
	c.kind, c.direction, c.maps, c.unmapped, c.live, c.size_bytes, c.lifetime_p99_ns,
	c.lifetime_max_ns, c.bounced, c.bounced_bytes
FROM call_site AS c JOIN device AS d ON d.id = c.device_id
LEFT JOIN stack AS s ON s.id = c.stack_id LEFT JOIN symbol AS y ON y.id = s.site_symbol_id
ORDER BY c.id

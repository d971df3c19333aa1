-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table mappings, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(d.driver, '') AS driver, coalesce(d.name, '') AS device,
	coalesce(m.device_id, 0) AS device_id, m.id AS mapping_id, m.kind, m.direction, m.dma_addr,
	m.phys_addr, m.size_bytes, m.attrs, m.segments, m.entries, m.map_ns, m.unmap_ns,
	iif(m.end = 'unmapped', max(m.unmap_ns - m.map_ns, 0), NULL) AS lifetime_ns, m.map_cpu,
	m.unmap_cpu, coalesce(my.name, '') AS map_function, coalesce(my.module, '') AS map_module,
	coalesce(uy.name, '') AS unmap_function, m.end AS ending, m.confidence, m.truncated,
	m.bounced, m.syncs_for_cpu, m.syncs_for_device
FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id
LEFT JOIN stack AS ms ON ms.id = m.map_stack_id LEFT JOIN symbol AS my ON my.id = ms.site_symbol_id
LEFT JOIN stack AS us ON us.id = m.unmap_stack_id
LEFT JOIN symbol AS uy ON uy.id = us.site_symbol_id
ORDER BY m.id

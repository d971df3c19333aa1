-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table findings, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	f.id AS finding_id, f.rule, f.severity, f.confidence,
	coalesce(f.reason, '') AS reason, coalesce(d.driver, '') AS driver, coalesce(d.name, '') AS device,
	coalesce(f.device_id, 0) AS device_id, f.mapping_id, f.ts_ns, f.cpu, f.dma_addr,
	f.size_bytes, f.message, f.facts, f.fingerprint
FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id ORDER BY f.id

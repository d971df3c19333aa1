-- SPDX-License-Identifier: LGPL-2.1-only
-- Rows of ClickHouse's table devices, of one run
SELECT :run_id AS run_id, :host AS host, :build AS build, :release AS release, :taken AS taken,
	coalesce(driver, '') AS driver, name AS device,
	id AS device_id, coalesce(bus, '') AS bus, generation, address_mode, dma_mask, iommu_group,
	first_ns, last_ns
FROM device ORDER BY id

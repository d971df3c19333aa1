-- SPDX-License-Identifier: LGPL-2.1-only
-- Views of the dmascope run database. Described in dmascope-db(5).

CREATE VIEW findings AS
	-- Findings with their device; addresses as hex text
	SELECT f.id, f.rule, f.severity, f.confidence, f.reason, d.name AS device, d.driver,
		f.ts_ns, iif(f.dma_addr IS NULL, NULL, printf('0x%x', f.dma_addr)) AS dma_addr,
		f.size_bytes, f.message, f.fingerprint
	FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id;

CREATE VIEW finding_groups AS
	-- Table finding_group with names for devices
	SELECT g.id, g.rule, g.severity, g.confidence, g.reason, d.name AS device, d.generation,
		d.driver, g.fingerprint, g.count, g.first_ns, g.finding_id
	FROM finding_group AS g LEFT JOIN device AS d ON d.id = g.device_id;

CREATE VIEW mappings AS
	-- Mappings with names for numbers; addresses as hex text
	SELECT m.id, d.name AS device, d.generation, d.driver, m.kind,
		iif(m.dma_addr IS NULL, NULL, printf('0x%x', m.dma_addr)) AS dma_addr,
		iif(m.phys_addr IS NULL, NULL, printf('0x%x', m.phys_addr)) AS phys_addr,
		iif(m.virt_addr IS NULL, NULL, printf('0x%x', m.virt_addr)) AS virt_addr,
		m.size_bytes, m.direction,
		iif(m.attrs IS NULL, NULL, printf('0x%x', m.attrs)) AS attrs,
		m.segments, m.entries, m.map_ns, m.unmap_ns, m.ended_ns,
		iif(m.end = 'unmapped', max(m.unmap_ns - m.map_ns, 0), NULL) AS lifetime_ns,
		m.map_cpu, m.unmap_cpu, m.map_pid, mt.comm AS map_comm, m.unmap_pid,
		ut.comm AS unmap_comm, my.name AS map_function, my.module AS map_module,
		uy.name AS unmap_function, uy.module AS unmap_module, m.map_stack_id,
		m.unmap_stack_id, m.end, m.confidence, m.reason, m.truncated, m.bounced,
		m.syncs_for_cpu, m.syncs_for_device
	FROM mapping AS m
	LEFT JOIN device AS d ON d.id = m.device_id
	LEFT JOIN task AS mt ON mt.pid = m.map_pid
	LEFT JOIN task AS ut ON ut.pid = m.unmap_pid
	LEFT JOIN stack AS ms ON ms.id = m.map_stack_id
	LEFT JOIN stack AS us ON us.id = m.unmap_stack_id
	LEFT JOIN symbol AS my ON my.id = ms.site_symbol_id
	LEFT JOIN symbol AS uy ON uy.id = us.site_symbol_id;

CREATE VIEW live_mappings AS
	-- Mappings still live when the trace ended
	SELECT * FROM mappings WHERE end = 'live';

CREATE VIEW device_summary AS
	-- One row for each generation of a device, from its counters
	SELECT d.id AS device_id, d.name AS device, d.generation, d.driver, d.address_mode,
		coalesce(sum(c.value) FILTER (WHERE c.name IN ('maps', 'allocs')), 0) AS maps,
		coalesce(sum(c.value) FILTER (WHERE c.name IN ('unmaps', 'frees')), 0) AS unmaps,
		coalesce(sum(c.value) FILTER (WHERE c.name IN
			('syncs_for_cpu', 'syncs_for_device', 'syncs')), 0) AS syncs,
		coalesce(max(c.value) FILTER (WHERE c.name = 'live_at_end'), 0) AS live_at_end,
		coalesce(max(c.value) FILTER (WHERE c.name = 'live_bytes_at_end'), 0)
			AS live_bytes_at_end,
		coalesce(max(c.value) FILTER (WHERE c.name = 'dma_map_errors'), 0) AS failed,
		coalesce(max(c.value) FILTER (WHERE c.name = 'pre_trace'), 0) AS pre_trace,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bytes_to_device'), 0)
			AS bytes_to_device,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bytes_from_device'), 0)
			AS bytes_from_device,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bytes_bidirectional'), 0)
			AS bytes_bidirectional,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bytes_allocated'), 0)
			AS bytes_allocated,
		max(c.value) FILTER (WHERE c.name = 'lifetime_p50') AS lifetime_p50_ns,
		max(c.value) FILTER (WHERE c.name = 'lifetime_p99') AS lifetime_p99_ns,
		max(c.value) FILTER (WHERE c.name = 'lifetime_max') AS lifetime_max_ns,
		coalesce(max(c.value) FILTER (WHERE c.name = 'peak_live'), 0) AS peak_live,
		coalesce(max(c.value) FILTER (WHERE c.name = 'peak_live_bytes'), 0)
			AS peak_live_bytes,
		max(c.value) FILTER (WHERE c.name = 'peak_live_bytes_time') AS peak_live_bytes_ns,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bounces'), 0) AS bounces,
		coalesce(max(c.value) FILTER (WHERE c.name = 'bounced_bytes'), 0) AS bounced_bytes,
		d.first_ns, d.last_ns
	FROM device AS d LEFT JOIN device_counter AS c ON c.device_id = d.id
	GROUP BY d.id;

CREATE VIEW driver_summary AS
	-- Sums of device_summary over the devices of one driver; NULL: driver not known
	SELECT driver, count(*) AS devices, sum(maps) AS maps, sum(unmaps) AS unmaps,
		sum(syncs) AS syncs, sum(live_at_end) AS live_at_end,
		sum(live_bytes_at_end) AS live_bytes_at_end, sum(failed) AS failed,
		sum(pre_trace) AS pre_trace, sum(bytes_to_device) AS bytes_to_device,
		sum(bytes_from_device) AS bytes_from_device,
		sum(bytes_bidirectional) AS bytes_bidirectional,
		sum(bytes_allocated) AS bytes_allocated, max(lifetime_max_ns) AS lifetime_max_ns,
		sum(bounces) AS bounces, sum(bounced_bytes) AS bounced_bytes
	FROM device_summary GROUP BY driver;

CREATE VIEW call_sites AS
	-- Mappings by device and by the function that mapped them; reads all of mapping
	SELECT d.name AS device, d.generation, d.driver, y.name AS function, y.module,
		count(g.map_stack_id) AS stacks, sum(g.mappings) AS mappings,
		CAST(total(g.size_bytes) AS INTEGER) AS size_bytes, sum(g.live) AS live_at_end,
		CAST(total(g.live_bytes) AS INTEGER) AS live_bytes_at_end,
		sum(g.unmapped) AS unmapped,
		CAST(total(g.lifetime_ns) / nullif(sum(g.unmapped), 0) AS INTEGER)
			AS lifetime_mean_ns,
		max(g.lifetime_max_ns) AS lifetime_max_ns, min(g.map_stack_id) AS first_stack_id
	FROM (SELECT device_id, map_stack_id, count(*) AS mappings,
			total(size_bytes) AS size_bytes, sum(end = 'live') AS live,
			total(iif(end = 'live', size_bytes, 0)) AS live_bytes,
			sum(end = 'unmapped') AS unmapped,
			total(iif(end = 'unmapped', unmap_ns - map_ns, 0)) AS lifetime_ns,
			max(iif(end = 'unmapped', unmap_ns - map_ns, NULL)) AS lifetime_max_ns
		FROM mapping WHERE map_ns IS NOT NULL GROUP BY device_id, map_stack_id) AS g
	LEFT JOIN device AS d ON d.id = g.device_id
	LEFT JOIN stack AS s ON s.id = g.map_stack_id
	LEFT JOIN symbol AS y ON y.id = s.site_symbol_id
	GROUP BY g.device_id, y.name, y.module;

CREATE VIEW throughput AS
	-- Streaming maps of each second and device; reads all of mapping
	SELECT d.name AS device, d.generation, d.driver, g.start_ns, 1000000000 AS length_ns,
		g.maps, g.bytes_to_device, g.bytes_from_device, g.bytes_bidirectional
	FROM (SELECT device_id, map_ns / 1000000000 * 1000000000 AS start_ns, count(*) AS maps,
			CAST(total(iif(direction = 'TO_DEVICE', size_bytes, 0)) AS INTEGER)
				AS bytes_to_device,
			CAST(total(iif(direction = 'FROM_DEVICE', size_bytes, 0)) AS INTEGER)
				AS bytes_from_device,
			CAST(total(iif(direction = 'BIDIRECTIONAL', size_bytes, 0)) AS INTEGER)
				AS bytes_bidirectional
		FROM mapping WHERE map_ns IS NOT NULL AND kind IN ('page', 'resource', 'sg')
		GROUP BY device_id, start_ns) AS g
	LEFT JOIN device AS d ON d.id = g.device_id;

CREATE VIEW counting AS
	-- One row: the time in which counters, breakdown and distribution were counted
	SELECT from_ns, to_ns, iif(is_ns AND to_ns > from_ns, (to_ns - from_ns) / 1e9, NULL) AS seconds
	FROM (SELECT max(CAST(value AS INTEGER)) FILTER (WHERE key = 'counted_from_ns') AS from_ns,
			max(CAST(value AS INTEGER)) FILTER (WHERE key = 'counted_to_ns') AS to_ns,
			coalesce(max(value = '1') FILTER (WHERE key = 'clock_is_ns'), 0) AS is_ns
		FROM run);

CREATE VIEW distributions AS
	-- Distributions with percentiles, which are at most 1/32 too high; the rest is exact
	SELECT d.id AS device_id, d.name AS device, d.generation, d.driver, t.measure, t.unit,
		t.count, t.sum, t.min,
		iif(t.count <= 2, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 500 + 999) / 1000))) AS p50,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 900 + 999) / 1000))) AS p90,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 990 + 999) / 1000))) AS p99,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 999 + 999) / 1000))) AS p999,
		t.max
	FROM distribution AS t JOIN device AS d ON d.id = t.device_id
	JOIN (SELECT device_id, measure, high,
			sum(count) OVER (PARTITION BY device_id, measure ORDER BY low) AS passed
		FROM histogram) AS b ON b.device_id = t.device_id AND b.measure = t.measure
	GROUP BY t.device_id, t.measure;

CREATE VIEW driver_distributions AS
	-- Distributions of all devices of a driver together; NULL: driver not known
	SELECT t.driver, t.measure, t.unit, t.count, t.sum, t.min,
		iif(t.count <= 2, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 500 + 999) / 1000))) AS p50,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 900 + 999) / 1000))) AS p90,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 990 + 999) / 1000))) AS p99,
		iif(t.count <= 1, t.min, min(t.max, min(b.high) FILTER (
			WHERE b.passed >= (t.count * 999 + 999) / 1000))) AS p999,
		t.max
	FROM (SELECT d.driver, t.measure, t.unit, sum(t.count) AS count,
			CAST(total(t.sum) AS INTEGER) AS sum, min(t.min) AS min, max(t.max) AS max
		FROM distribution AS t JOIN device AS d ON d.id = t.device_id
		GROUP BY d.driver, t.measure) AS t
	JOIN (SELECT driver, measure, high,
			sum(count) OVER (PARTITION BY driver, measure ORDER BY high) AS passed
		FROM (SELECT d.driver, h.measure, h.high, sum(h.count) AS count
			FROM histogram AS h JOIN device AS d ON d.id = h.device_id
			GROUP BY d.driver, h.measure, h.high)) AS b
		ON b.driver IS t.driver AND b.measure = t.measure
	GROUP BY t.driver, t.measure;

CREATE VIEW rates AS
	-- Calls and bytes of each device per second of the time counted; NULL: no such time
	SELECT s.device_id, s.device, s.generation, s.driver, c.seconds, s.maps, s.unmaps, s.syncs,
		s.failed, s.bytes, s.maps / c.seconds AS maps_per_s,
		s.unmaps / c.seconds AS unmaps_per_s, s.syncs / c.seconds AS syncs_per_s,
		s.failed / c.seconds AS failed_per_s, s.bytes / c.seconds AS bytes_per_s,
		s.bytes_to_device / c.seconds AS bytes_to_device_per_s,
		s.bytes_from_device / c.seconds AS bytes_from_device_per_s,
		s.bytes_bidirectional / c.seconds AS bytes_bidirectional_per_s
	FROM (SELECT *, (SELECT coalesce(max(sum), 0) FROM distribution AS t
			WHERE t.device_id = s.device_id AND t.measure = 'size') AS bytes
		FROM device_summary AS s) AS s, counting AS c;

CREATE VIEW driver_rates AS
	-- Sums of rates over the devices of one driver; NULL: driver not known
	SELECT driver, count(*) AS devices, max(seconds) AS seconds, sum(maps) AS maps,
		sum(unmaps) AS unmaps, sum(syncs) AS syncs, sum(failed) AS failed,
		CAST(total(bytes) AS INTEGER) AS bytes, sum(maps_per_s) AS maps_per_s,
		sum(unmaps_per_s) AS unmaps_per_s, sum(syncs_per_s) AS syncs_per_s,
		sum(failed_per_s) AS failed_per_s, sum(bytes_per_s) AS bytes_per_s,
		sum(bytes_to_device_per_s) AS bytes_to_device_per_s,
		sum(bytes_from_device_per_s) AS bytes_from_device_per_s,
		sum(bytes_bidirectional_per_s) AS bytes_bidirectional_per_s
	FROM rates GROUP BY driver;

CREATE VIEW breakdown_rates AS
	-- Breakdown with names, and per second of the time counted
	SELECT b.device_id, d.name AS device, d.generation, d.driver, b.dimension, b.key, c.seconds,
		b.maps, b.unmaps, b.syncs, b.failed, b.bytes, b.maps / c.seconds AS maps_per_s,
		b.unmaps / c.seconds AS unmaps_per_s, b.syncs / c.seconds AS syncs_per_s,
		b.bytes / c.seconds AS bytes_per_s
	FROM breakdown AS b JOIN device AS d ON d.id = b.device_id, counting AS c;

CREATE VIEW cpu_rates AS
	-- Calls of each CPU for each device; cpu NULL: all CPUs from number 512 on
	SELECT device_id, device, generation, driver,
		iif(key = 'other', NULL, CAST(key AS INTEGER)) AS cpu, seconds, maps, unmaps, syncs,
		failed, bytes, maps_per_s, unmaps_per_s, syncs_per_s, bytes_per_s
	FROM breakdown_rates WHERE dimension = 'cpu';

CREATE VIEW handovers AS
	-- Mappings unmapped on another CPU than they were mapped on, by both CPUs (below 64)
	SELECT b.device_id, d.name AS device, d.generation, d.driver,
		CAST(substr(b.key, 1, instr(b.key, '>') - 1) AS INTEGER) AS map_cpu,
		CAST(substr(b.key, instr(b.key, '>') + 1) AS INTEGER) AS unmap_cpu,
		b.unmaps AS mappings, b.bytes,
		1.0 * b.unmaps / (SELECT nullif(max(t.value), 0) FROM device_counter AS t
			WHERE t.device_id = b.device_id AND t.name = 'unmaps_matched') AS share
	FROM breakdown AS b JOIN device AS d ON d.id = b.device_id WHERE b.dimension = 'cpu_pair';

CREATE VIEW bounces AS
	-- What went through swiotlb, and why, of each device that maps; share is of streaming maps
	SELECT d.id AS device_id, d.name AS device, d.generation, d.driver, d.dma_mask, c.maps,
		c.bounces, c.bounced, 1.0 * c.bounced / nullif(c.maps, 0) AS share, c.bytes,
		c.forced, c.mask, c.other, c.largest_bytes, c.peak_bytes, c.peak_ns
	FROM (SELECT device_id,
			max(value) FILTER (WHERE name = 'maps') AS maps,
			max(value) FILTER (WHERE name = 'bounces') AS bounces,
			max(value) FILTER (WHERE name = 'bounced_maps') AS bounced,
			max(value) FILTER (WHERE name = 'bounced_bytes') AS bytes,
			max(value) FILTER (WHERE name = 'bounced_forced') AS forced,
			max(value) FILTER (WHERE name = 'bounced_mask') AS mask,
			max(value) FILTER (WHERE name = 'bounced_other') AS other,
			max(value) FILTER (WHERE name = 'bounced_largest_bytes') AS largest_bytes,
			max(value) FILTER (WHERE name = 'peak_bounced_bytes') AS peak_bytes,
			max(value) FILTER (WHERE name = 'peak_bounced_bytes_time') AS peak_ns
		FROM device_counter GROUP BY device_id) AS c
	JOIN device AS d ON d.id = c.device_id WHERE c.maps + c.bounces > 0;

CREATE VIEW iommu_merge AS
	-- Entries of scatter lists, and the segments they became; ratio: segments of each entry
	SELECT d.id AS device_id, d.name AS device, d.generation, d.driver, d.address_mode,
		c.lists, c.entries, c.segments, 1.0 * c.segments / nullif(c.entries, 0) AS ratio
	FROM (SELECT device_id, max(value) FILTER (WHERE name = 'sg_entries') AS entries,
			max(value) FILTER (WHERE name = 'sg_segments') AS segments,
			(SELECT max(t.count) FROM distribution AS t WHERE t.measure = 'entries'
				AND t.device_id = device_counter.device_id) AS lists
		FROM device_counter GROUP BY device_id) AS c
	JOIN device AS d ON d.id = c.device_id WHERE c.entries > 0;

CREATE VIEW iova_space AS
	-- DMA addresses each device used; fill: the most bytes live at a time, of the span
	SELECT d.id AS device_id, d.name AS device, d.generation, d.driver, d.address_mode,
		printf('0x%x', c.low) AS low, printf('0x%x', c.high) AS high,
		c.span_bytes, c.peak_live_bytes,
		1.0 * c.peak_live_bytes / c.span_bytes AS fill
	FROM (SELECT device_id, max(value) FILTER (WHERE name = 'iova_low') AS low,
			max(value) FILTER (WHERE name = 'iova_high') AS high,
			max(value) FILTER (WHERE name = 'iova_span_bytes') AS span_bytes,
			max(value) FILTER (WHERE name = 'peak_live_bytes') AS peak_live_bytes
		FROM device_counter GROUP BY device_id) AS c
	JOIN device AS d ON d.id = c.device_id WHERE c.span_bytes > 0;

CREATE VIEW call_site_rates AS
	-- Table call_site with names, and its figures per second of the trace, in all of which it is counted
	SELECT s.id, s.device_id, d.name AS device, d.generation, d.driver, s.stack_id,
		y.name AS function, y.module, s.kind, s.direction, s.maps, s.unmapped, s.live,
		s.size_bytes, s.min_size_bytes, s.max_size_bytes, s.lifetime_p50_ns,
		s.lifetime_p90_ns, s.lifetime_p99_ns, s.lifetime_max_ns, s.syncs_for_cpu,
		s.syncs_for_device, s.remaps, s.bounced, s.bounced_forced, s.bounced_mask,
		s.bounced_other, s.bounced_bytes, s.first_ns, s.last_ns, t.seconds,
		s.maps / t.seconds AS maps_per_s, s.size_bytes / t.seconds AS bytes_per_s
	FROM call_site AS s JOIN device AS d ON d.id = s.device_id
	JOIN (SELECT iif(is_ns AND to_ns > from_ns, (to_ns - from_ns) / 1e9, NULL) AS seconds
		FROM (SELECT max(CAST(value AS INTEGER)) FILTER (WHERE key = 'first_ns') AS from_ns,
				max(CAST(value AS INTEGER)) FILTER (WHERE key = 'last_ns') AS to_ns,
				coalesce(max(value = '1') FILTER (WHERE key = 'clock_is_ns'), 0) AS is_ns
			FROM run)) AS t
	LEFT JOIN stack AS k ON k.id = s.stack_id
	LEFT JOIN symbol AS y ON y.id = k.site_symbol_id;

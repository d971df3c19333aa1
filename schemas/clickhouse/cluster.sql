-- SPDX-License-Identifier: LGPL-2.1-only
-- dmascope's tables in ClickHouse, for a cluster. Made by cluster.sh of single.sql: edit that.
--
-- The cluster is called dmascope in remote_servers, every server has the macros shard and replica.
-- A table's rows lie in <table>_local of each shard and its replicas, all rows of one run on one
-- shard; the table itself is Distributed and holds nothing.

CREATE DATABASE IF NOT EXISTS dmascope ON CLUSTER dmascope;

CREATE TABLE IF NOT EXISTS dmascope.devices_local ON CLUSTER dmascope (
	-- Devices of each run
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of its driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	bus String, -- from the inventory
	generation UInt32, -- 1 for the first probe seen
	address_mode String, -- unknown, direct, bounced, iommu
	dma_mask Nullable(UInt64), -- smallest known
	iommu_group Nullable(Int32), -- as traced, or from the inventory
	first_ns UInt64, -- trace clock, first event
	last_ns Nullable(UInt64) -- trace clock, last event
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/devices', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (driver, device, run_id, device_id);

CREATE TABLE IF NOT EXISTS dmascope.devices ON CLUSTER dmascope
AS dmascope.devices_local
ENGINE = Distributed(dmascope, dmascope, devices_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.counters_local ON CLUSTER dmascope (
	-- Totals of each device, named as in dmascope-db(5); not counted: no row
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of its driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	counter String, -- name
	value UInt64, -- its value
	unit String -- of the value
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/counters', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (counter, driver, run_id, device_id);

CREATE TABLE IF NOT EXISTS dmascope.counters ON CLUSTER dmascope
AS dmascope.counters_local
ENGINE = Distributed(dmascope, dmascope, counters_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.distributions_local ON CLUSTER dmascope (
	-- Exact figures of the measures that histograms has buckets of
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of its driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	measure String, -- lifetime, size, ...
	unit String, -- of sum, min and max
	count UInt64, -- values
	sum UInt64, -- of all values
	min UInt64, -- smallest value
	max UInt64 -- largest value
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/distributions', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (measure, driver, run_id, device_id);

CREATE TABLE IF NOT EXISTS dmascope.distributions ON CLUSTER dmascope
AS dmascope.distributions_local
ENGINE = Distributed(dmascope, dmascope, distributions_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.histograms_local ON CLUSTER dmascope (
	-- Buckets with the same bounds in every run: they merge by adding counts
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of its driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	measure String, -- see distributions
	low UInt64, -- smallest value of the bucket
	high UInt64, -- largest, at most 1/32 above low
	count UInt64, -- values in the bucket
	unit String -- of low and high
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/histograms', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (measure, driver, run_id, device_id, low);

CREATE TABLE IF NOT EXISTS dmascope.histograms ON CLUSTER dmascope
AS dmascope.histograms_local
ENGINE = Distributed(dmascope, dmascope, histograms_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.series_local ON CLUSTER dmascope (
	-- Measures over time, per device; a count of 0 has no row
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of its driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	measure String, -- what
	start_ns UInt64, -- trace clock, beginning of the bucket
	length_ns UInt64, -- of the bucket
	value UInt64, -- its value
	unit String -- of the value
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/series', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (measure, driver, run_id, device_id, start_ns);

CREATE TABLE IF NOT EXISTS dmascope.series ON CLUSTER dmascope
AS dmascope.series_local
ENGINE = Distributed(dmascope, dmascope, series_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.call_sites_local ON CLUSTER dmascope (
	-- Who maps: one row for each stack, kind, direction and device
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of the device's driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database
	site_id UInt32, -- in the run's database
	function String, -- first one outside the DMA core
	module String, -- its module
	kind String, -- page, resource, sg, coherent, pages, noncontiguous
	direction String, -- of the data
	maps UInt64, -- maps and allocations
	unmapped UInt64, -- of these, ended by their unmap
	live UInt64, -- of these, live when the trace ended
	size_bytes UInt64, -- of all maps
	lifetime_p99_ns Nullable(UInt64), -- less than twice the exact value
	lifetime_max_ns Nullable(UInt64), -- exact
	bounced UInt64, -- maps that went through swiotlb
	bounced_bytes UInt64 -- size of these
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/call_sites', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (driver, function, run_id, site_id);

CREATE TABLE IF NOT EXISTS dmascope.call_sites ON CLUSTER dmascope
AS dmascope.call_sites_local
ENGINE = Distributed(dmascope, dmascope, call_sites_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.mappings_local ON CLUSTER dmascope (
	-- One life each
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	driver String, -- name of the device's driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database; 0: the trace names none
	mapping_id UInt64, -- in the run's database
	kind String, -- page, resource, sg, coherent, pages, noncontiguous
	direction String, -- of the data
	dma_addr Nullable(UInt64), -- bus address
	phys_addr Nullable(UInt64), -- CPU physical address
	size_bytes Nullable(UInt64), -- of all segments
	attrs Nullable(UInt64), -- DMA_ATTR_* bits
	segments Nullable(UInt32), -- after mapping
	entries Nullable(UInt32), -- given by the caller
	map_ns Nullable(UInt64), -- trace clock; NULL: not seen
	unmap_ns Nullable(UInt64), -- trace clock; NULL: not seen
	lifetime_ns Nullable(UInt64), -- of those unmapped
	map_cpu Nullable(UInt32), -- CPU that mapped
	unmap_cpu Nullable(UInt32), -- CPU that unmapped
	map_function String, -- call site of the map
	map_module String, -- its module
	unmap_function String, -- call site of the unmap
	ending String, -- live, unmapped, lost, elided, unbound, pre-trace, unmatched
	confidence String, -- in this pairing
	truncated UInt8, -- 1: list cut by the kernel
	bounced UInt8, -- 1: went through swiotlb
	syncs_for_cpu UInt64, -- calls in its life
	syncs_for_device UInt64 -- calls in its life
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/mappings', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (driver, device, run_id, mapping_id);

CREATE TABLE IF NOT EXISTS dmascope.mappings ON CLUSTER dmascope
AS dmascope.mappings_local
ENGINE = Distributed(dmascope, dmascope, mappings_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.findings_local ON CLUSTER dmascope (
	-- Broken rules; the first 1,000 of a kind in a run, finding_groups counts them all
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	finding_id UInt64, -- in the run's database
	rule String, -- see dmascope-rules(7)
	severity String, -- error, warning, info
	confidence String, -- possible, likely, certain
	reason String, -- for less than certainty
	driver String, -- name of the device's driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database; 0: none is concerned
	mapping_id Nullable(UInt64), -- mapping concerned
	ts_ns UInt64, -- trace clock
	cpu Nullable(UInt32), -- where
	dma_addr Nullable(UInt64), -- bus address concerned
	size_bytes Nullable(UInt64), -- bytes concerned
	message String, -- one sentence
	facts String, -- JSON object: the figures behind it
	fingerprint String -- same defect, same text, in any run
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/findings', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (fingerprint, run_id, finding_id);

CREATE TABLE IF NOT EXISTS dmascope.findings ON CLUSTER dmascope
AS dmascope.findings_local
ENGINE = Distributed(dmascope, dmascope, findings_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.finding_groups_local ON CLUSTER dmascope (
	-- Findings counted, all of them
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	group_id UInt32, -- in the run's database
	rule String, -- see dmascope-rules(7)
	severity String, -- error, warning, info
	confidence String, -- possible, likely, certain
	reason String, -- for less than certainty
	driver String, -- name of the device's driver
	device String, -- dev_name()
	device_id UInt32, -- in the run's database; 0: none is concerned
	fingerprint String, -- same defect, same text, in any run
	count UInt64, -- exact
	first_ns UInt64 -- trace clock, the first of them
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/finding_groups', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (fingerprint, run_id, group_id);

CREATE TABLE IF NOT EXISTS dmascope.finding_groups ON CLUSTER dmascope
AS dmascope.finding_groups_local
ENGINE = Distributed(dmascope, dmascope, finding_groups_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.not_judged_local ON CLUSTER dmascope (
	-- What a run cannot show, and why
	run_id FixedString(16), -- run, see runs
	host String, -- traced machine
	build String, -- what was tested
	release String, -- of the traced kernel
	taken DateTime('UTC'), -- when it was recorded
	row_id UInt32, -- in the run's database
	rule String, -- rule or area; '': the whole run
	driver String, -- name of the device's driver
	device String, -- dev_name(); '': all devices
	reason String -- one sentence
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/not_judged', '{replica}')
PARTITION BY toYYYYMM(taken) ORDER BY (rule, run_id, row_id);

CREATE TABLE IF NOT EXISTS dmascope.not_judged ON CLUSTER dmascope
AS dmascope.not_judged_local
ENGINE = Distributed(dmascope, dmascope, not_judged_local, cityHash64(run_id));

CREATE TABLE IF NOT EXISTS dmascope.runs_local ON CLUSTER dmascope (
	-- Runs that are complete. The last table: its row is what makes the others count. Not
	-- partitioned: when a run was taken may be put right, and it still is one row
	capture FixedString(16), -- hash of the inputs: a later analysis of them takes this row's place
	run_id FixedString(16), -- hash of all that is pushed of it
	host String, -- traced machine
	build String, -- what was tested; the kernel's release if not told
	release String, -- of the traced kernel
	uname String, -- of the traced machine
	taken DateTime('UTC'), -- when it was recorded, as told, or the time of the database
	tool_version String, -- of dmascope that analyzed
	schema UInt32, -- of the run's database
	clock String, -- trace clock
	clock_is_ns UInt8, -- 0: durations mean nothing
	span_ns UInt64, -- of the trace
	events UInt64, -- decoded
	lost_events Nullable(UInt64), -- as far as the tracer says
	gaps UInt64, -- places where events were lost, or their order is not known
	mappings UInt64, -- rows in mappings
	finding_groups UInt64, -- rows in finding_groups
	pushed DateTime('UTC') DEFAULT now() -- by the server's clock
) ENGINE = ReplicatedReplacingMergeTree(
	'/clickhouse/tables/{shard}/dmascope/runs', '{replica}', pushed)
ORDER BY capture;

CREATE TABLE IF NOT EXISTS dmascope.runs ON CLUSTER dmascope
AS dmascope.runs_local
ENGINE = Distributed(dmascope, dmascope, runs_local, cityHash64(capture));

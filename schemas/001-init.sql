-- SPDX-License-Identifier: LGPL-2.1-only
-- dmascope run database, schema 3. Described in dmascope-db(5).
-- Addresses and attributes are unsigned 64-bit numbers in two's complement; the views show
-- them as hex text. Times are nanoseconds of the trace clock (ticks if run.clock_is_ns is 0).

PRAGMA application_id = 1684889971; -- "dmas"
PRAGMA user_version = 3;

CREATE TABLE run (
	-- Facts about the whole run, one a row
	key TEXT PRIMARY KEY NOT NULL, -- name of the fact; "complete" is 1 only in a finished run
	value TEXT -- its value as text; NULL: not known
) STRICT, WITHOUT ROWID;

CREATE TABLE input_file (
	-- Trace files of this run
	id INTEGER PRIMARY KEY, -- place on the command line, from 0
	path TEXT NOT NULL, -- as given on the command line
	hash TEXT, -- of its content, "algorithm:hex"
	format TEXT NOT NULL, -- such as "trace.dat v7 (zstd)"
	uname TEXT, -- of the traced machine, as recorded
	release TEXT, -- of the traced kernel
	clock TEXT, -- trace clock
	tool TEXT, -- program that wrote the file
	cpus INTEGER NOT NULL, -- CPUs of the traced machine
	page_size_bytes INTEGER NOT NULL, -- of the traced machine
	long_size_bytes INTEGER NOT NULL, -- of the traced kernel: 4 or 8
	big_endian INTEGER NOT NULL CHECK (big_endian IN (0, 1)), -- byte order of the file
	clock_is_ns INTEGER NOT NULL CHECK (clock_is_ns IN (0, 1)), -- 0: durations mean nothing
	size_bytes INTEGER NOT NULL, -- of the file
	lost_by_stats INTEGER NOT NULL, -- events lost by the tracer's own statistics
	missing_bytes INTEGER NOT NULL -- trace data the header names but the file lacks
) STRICT;

CREATE TABLE instance (
	-- Buffer instances of each file
	file_id INTEGER NOT NULL REFERENCES input_file (id), -- file it is in
	number INTEGER NOT NULL, -- from 0 within the run
	name TEXT NOT NULL, -- as given to trace-cmd -B; empty: the top buffer
	PRIMARY KEY (file_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE tracepoint (
	-- What the records of each tracepoint came to, per file
	file_id INTEGER NOT NULL REFERENCES input_file (id), -- file they are in
	system TEXT NOT NULL, -- such as "dma"
	name TEXT NOT NULL, -- such as "dma_map_phys"
	records INTEGER NOT NULL, -- seen in the file
	malformed INTEGER NOT NULL, -- of these, skipped
	reason TEXT, -- why the first malformed one was skipped
	reason_offset_bytes INTEGER, -- where it is in the file
	decoded INTEGER NOT NULL CHECK (decoded IN (0, 1)), -- 1: used by this run
	PRIMARY KEY (file_id, system, name),
	CHECK (malformed BETWEEN 0 AND records)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
	-- Devices seen; a device that was probed again is a new generation and a new row
	id INTEGER PRIMARY KEY, -- in order of first sight, from 1
	name TEXT NOT NULL, -- dev_name()
	bus TEXT, -- from the inventory; NULL: not recorded
	driver TEXT, -- from the inventory, else told by call stacks; NULL: not known
	generation INTEGER NOT NULL CHECK (generation >= 1), -- 1 for the first probe seen
	address_mode TEXT NOT NULL
		CHECK (address_mode IN ('unknown', 'direct', 'bounced', 'iommu')), -- inferred
	dma_mask INTEGER, -- from the inventory, else the smallest mask seen; NULL: not known
	iommu_group INTEGER CHECK (iommu_group >= 0), -- as traced, else from the inventory
	first_ns INTEGER NOT NULL, -- time of its first event
	last_ns INTEGER, -- time of its last event
	UNIQUE (name, generation)
) STRICT;

CREATE TABLE symbol (
	-- Kernel functions that occur in call stacks
	id INTEGER PRIMARY KEY, -- in order of address, from 1
	name TEXT NOT NULL, -- function
	module TEXT, -- NULL: the kernel itself
	address INTEGER -- where the function begins; NULL: a text dump does not tell
) STRICT;

CREATE TABLE stack (
	-- Distinct call stacks
	id INTEGER PRIMARY KEY, -- in order of first sight, from 1
	frames INTEGER NOT NULL CHECK (frames >= 0), -- how many rows of frame it has
	site_depth INTEGER, -- depth of the call site: first frame outside the DMA core
	site_symbol_id INTEGER REFERENCES symbol (id), -- function of the call site
	CHECK (site_depth IS NULL OR site_depth BETWEEN 0 AND frames - 1)
) STRICT;

CREATE TABLE frame (
	-- Return addresses of the stacks
	stack_id INTEGER NOT NULL REFERENCES stack (id), -- stack it is part of
	depth INTEGER NOT NULL CHECK (depth >= 0), -- 0 is the innermost
	address INTEGER, -- as traced; NULL: a text dump has only the function's name
	symbol_id INTEGER REFERENCES symbol (id), -- function it lies in; NULL: not known
	offset_bytes INTEGER, -- of the address from the beginning of the function; NULL: not told
	PRIMARY KEY (stack_id, depth)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
	-- Names of tasks, as far as the tracer saved them
	pid INTEGER PRIMARY KEY, -- thread id in the root namespace
	comm TEXT NOT NULL -- name; may hold any byte, a task chooses it
) STRICT;

CREATE TABLE mapping (
	-- One life each: a successful map or allocation, or an unmap whose map was not seen
	id INTEGER PRIMARY KEY, -- about in order of completion, from 1
	device_id INTEGER REFERENCES device (id), -- NULL: the trace names none
	kind TEXT NOT NULL CHECK (kind IN
		('page', 'resource', 'sg', 'coherent', 'pages', 'noncontiguous')), -- family of calls
	dma_addr INTEGER, -- bus address, of the first segment; NULL: not traced
	phys_addr INTEGER, -- CPU physical address, of the first entry
	virt_addr INTEGER, -- kernel virtual address of an allocation
	size_bytes INTEGER, -- of all segments; "at least" if truncated; NULL: not traced
	direction TEXT NOT NULL CHECK (direction IN
		('BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE', 'UNKNOWN')), -- of the data
	attrs INTEGER, -- DMA_ATTR_* bits of the map
	segments INTEGER, -- after mapping (ents)
	entries INTEGER, -- given by the caller (nents)
	map_ns INTEGER, -- time of the map; NULL: not seen
	unmap_ns INTEGER, -- time of the unmap; NULL: not seen
	ended_ns INTEGER, -- a life without an unmap was over by then (lost, elided, unbound)
	map_cpu INTEGER, -- CPU that mapped
	unmap_cpu INTEGER, -- CPU that unmapped
	map_pid INTEGER, -- task that mapped, see task
	unmap_pid INTEGER, -- task that unmapped
	map_stack_id INTEGER REFERENCES stack (id), -- call stack of the map
	unmap_stack_id INTEGER REFERENCES stack (id), -- call stack of the unmap
	end TEXT NOT NULL CHECK (end IN ('live', 'unmapped', 'lost', 'elided', 'unbound',
		'pre-trace', 'unmatched')), -- how it ended
	confidence TEXT NOT NULL
		CHECK (confidence IN ('possible', 'likely', 'certain')), -- in this pairing
	reason TEXT, -- for less than certainty
	truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)), -- 1: list cut by the kernel
	bounced INTEGER NOT NULL CHECK (bounced IN (0, 1)), -- 1: went through swiotlb
	syncs_for_cpu INTEGER NOT NULL, -- dma_sync_*_for_cpu() calls in its life
	syncs_for_device INTEGER NOT NULL, -- dma_sync_*_for_device() calls in its life
	CHECK (map_ns IS NOT NULL OR unmap_ns IS NOT NULL
		OR end IN ('live', 'lost', 'elided', 'unbound')),
	CHECK (end <> 'live' OR unmap_ns IS NULL),
	CHECK (end <> 'unmapped' OR unmap_ns IS NOT NULL),
	CHECK (confidence = 'certain' OR reason IS NOT NULL)
); -- not STRICT: checking what the writer built costs a row 6 percent more

CREATE TABLE mapping_segment (
	-- Scatter lists of mappings; filled by analyze --events
	mapping_id INTEGER NOT NULL REFERENCES mapping (id), -- list it is part of
	number INTEGER NOT NULL CHECK (number >= 0), -- place in the list, from 0
	phys_addr INTEGER, -- of entry number; NULL: fewer entries than segments
	dma_addr INTEGER, -- of segment number; NULL: fewer segments than entries
	size_bytes INTEGER, -- of segment number
	PRIMARY KEY (mapping_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
	-- Every decoded event; filled by analyze --events
	id INTEGER PRIMARY KEY, -- in order of time, from 1
	ts_ns INTEGER NOT NULL, -- when
	cpu INTEGER NOT NULL, -- where
	pid INTEGER NOT NULL, -- by which task
	instance INTEGER NOT NULL, -- buffer instance it was recorded in
	kind TEXT NOT NULL, -- call without "dma_", such as "map_sg"
	device_id INTEGER REFERENCES device (id), -- NULL: it names none
	mapping_id INTEGER REFERENCES mapping (id), -- mapping it belongs to, if any
	dma_addr INTEGER, -- bus address, or IOVA
	phys_addr INTEGER, -- CPU physical address
	virt_addr INTEGER, -- kernel virtual address of an allocation
	size_bytes INTEGER, -- NULL: not traced
	direction TEXT NOT NULL CHECK (direction IN
		('BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE', 'UNKNOWN')), -- as traced
	attrs INTEGER, -- DMA_ATTR_* bits
	gfp INTEGER, -- gfp_t; the bits differ between kernel releases
	err INTEGER, -- negative errno, fault flags or IOMMU group
	entries INTEGER, -- given by the caller (nents)
	segments INTEGER, -- after mapping (ents)
	stack_id INTEGER REFERENCES stack (id), -- call stack
	flags INTEGER NOT NULL, -- common_flags: irqs off, hard and soft irq
	preempt_count INTEGER NOT NULL, -- its low byte
	truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)), -- 1: list cut by the kernel
	failed INTEGER NOT NULL CHECK (failed IN (0, 1)) -- 1: a map or allocation that failed
) STRICT;

CREATE TABLE event_segment (
	-- Lists of events; filled by analyze --events
	event_id INTEGER NOT NULL REFERENCES event (id), -- event it is part of
	number INTEGER NOT NULL CHECK (number >= 0), -- place in the list, from 0
	phys_addr INTEGER, -- of entry number; NULL: fewer entries than segments
	dma_addr INTEGER, -- of segment number; NULL: fewer segments than entries
	size_bytes INTEGER, -- of segment number
	PRIMARY KEY (event_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
	-- Broken rules, one row a finding; the first 1,000 of a kind, finding_group counts them all
	id INTEGER PRIMARY KEY, -- in order of time, from 1
	rule TEXT NOT NULL, -- rule id, see dmascope-rules(7)
	severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')), -- of this finding
	confidence TEXT NOT NULL
		CHECK (confidence IN ('possible', 'likely', 'certain')), -- that it is true
	reason TEXT, -- for less than certainty
	device_id INTEGER REFERENCES device (id), -- NULL: none is concerned
	mapping_id INTEGER REFERENCES mapping (id), -- NULL: none is concerned
	ts_ns INTEGER NOT NULL, -- when the rule was broken
	cpu INTEGER, -- where
	pid INTEGER, -- by which task
	stack_id INTEGER REFERENCES stack (id), -- call stack that broke it
	dma_addr INTEGER, -- bus address concerned; NULL: none, or not traced
	size_bytes INTEGER, -- bytes concerned; NULL: none, or not traced
	message TEXT NOT NULL, -- one sentence
	facts TEXT NOT NULL CHECK (json_valid(facts)), -- JSON object: the figures behind it
	fingerprint TEXT NOT NULL, -- same defect, same text, in any run
	CHECK (confidence = 'certain' OR reason IS NOT NULL)
) STRICT;

CREATE TABLE finding_group (
	-- Findings counted, all of them: those of one rule, device and fingerprint that are as sure
	id INTEGER PRIMARY KEY, -- by rule, device and fingerprint, from 1
	rule TEXT NOT NULL, -- rule id, see dmascope-rules(7)
	severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')), -- of each
	confidence TEXT NOT NULL
		CHECK (confidence IN ('possible', 'likely', 'certain')), -- of each
	reason TEXT, -- for less than certainty
	device_id INTEGER REFERENCES device (id), -- NULL: none is concerned
	fingerprint TEXT NOT NULL, -- same defect, same text, in any run
	count INTEGER NOT NULL CHECK (count > 0), -- exact
	first_ns INTEGER NOT NULL, -- time of the first of them
	finding_id INTEGER REFERENCES finding (id), -- first that has a row; NULL: none has
	CHECK (confidence = 'certain' OR reason IS NOT NULL)
) STRICT;

CREATE TABLE gap (
	-- Places where the tracer lost events, or where their order is not known
	id INTEGER PRIMARY KEY, -- in order of time, from 1
	cpu INTEGER NOT NULL, -- CPU whose events were lost
	instance INTEGER NOT NULL, -- buffer instance that lost them
	after_ns INTEGER, -- last event of this CPU before the gap; NULL: none
	before_ns INTEGER, -- first event after it; NULL: none, to the end of the trace
	lost INTEGER CHECK (lost > 0) -- events lost; NULL: the tracer does not say
) STRICT;

CREATE TABLE not_judged (
	-- What this trace cannot show, and why
	id INTEGER PRIMARY KEY, -- in order of telling, from 1
	rule TEXT, -- rule or area; NULL: the whole run
	device_id INTEGER REFERENCES device (id), -- NULL: all devices
	reason TEXT NOT NULL -- one sentence
) STRICT;

CREATE TABLE device_counter (
	-- Totals of each device; a counter that could not be counted has no row
	device_id INTEGER NOT NULL REFERENCES device (id), -- whose
	name TEXT NOT NULL, -- counter, see dmascope-db(5)
	value INTEGER NOT NULL, -- its value
	unit TEXT NOT NULL, -- of the value
	PRIMARY KEY (device_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
	-- A measure over time, per device; a count that is 0 has no row
	device_id INTEGER NOT NULL REFERENCES device (id), -- whose
	measure TEXT NOT NULL, -- what; "live" and "live_bytes" are the most in the bucket
	start_ns INTEGER NOT NULL, -- beginning of the time bucket
	length_ns INTEGER NOT NULL CHECK (length_ns > 0), -- of the time bucket
	value INTEGER NOT NULL, -- its value
	unit TEXT NOT NULL, -- of the value
	PRIMARY KEY (device_id, measure, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE histogram (
	-- Distribution of a measure, per device; buckets with a count of 0 have no row
	device_id INTEGER NOT NULL REFERENCES device (id), -- whose
	measure TEXT NOT NULL, -- what, see distribution
	low INTEGER NOT NULL, -- smallest value of the bucket
	high INTEGER NOT NULL, -- largest value of the bucket, at most 1/32 above low
	count INTEGER NOT NULL CHECK (count > 0), -- values in the bucket
	unit TEXT NOT NULL, -- of low and high
	PRIMARY KEY (device_id, measure, low),
	CHECK (low <= high)
) STRICT, WITHOUT ROWID;

CREATE TABLE distribution (
	-- Measures that histogram has buckets of; a measure without a value has no row
	device_id INTEGER NOT NULL REFERENCES device (id), -- whose
	measure TEXT NOT NULL, -- "lifetime", "size", ...: see dmascope-db(5)
	unit TEXT NOT NULL, -- of sum, min and max
	count INTEGER NOT NULL CHECK (count > 0), -- values
	sum INTEGER NOT NULL, -- of all values, exact
	min INTEGER NOT NULL, -- smallest value, exact
	max INTEGER NOT NULL, -- largest value, exact
	PRIMARY KEY (device_id, measure),
	CHECK (min <= max)
) STRICT, WITHOUT ROWID;

CREATE TABLE breakdown (
	-- Calls of each device by CPU, direction, family of calls, and pairs of CPUs
	device_id INTEGER NOT NULL REFERENCES device (id), -- whose
	dimension TEXT NOT NULL
		CHECK (dimension IN ('cpu', 'direction', 'kind', 'cpu_pair')), -- by what
	key TEXT NOT NULL, -- CPU or "other", direction or kind as in mapping, or "0>1"
	maps INTEGER NOT NULL, -- maps and allocations, without the failed
	unmaps INTEGER NOT NULL, -- unmaps and frees, matched or not
	syncs INTEGER NOT NULL, -- in both directions
	failed INTEGER NOT NULL, -- maps and allocations that failed
	bytes INTEGER NOT NULL, -- of maps; of cpu_pair, of unmaps
	PRIMARY KEY (device_id, dimension, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_site (
	-- Maps made with one stack, of one kind and direction, for one device; of the whole trace
	id INTEGER PRIMARY KEY, -- in order of the first map, from 1
	device_id INTEGER NOT NULL REFERENCES device (id), -- for which it maps
	stack_id INTEGER REFERENCES stack (id), -- NULL: not recorded, or one of too many
	kind TEXT NOT NULL CHECK (kind IN
		('page', 'resource', 'sg', 'coherent', 'pages', 'noncontiguous')), -- family of calls
	direction TEXT NOT NULL CHECK (direction IN
		('BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE', 'UNKNOWN')), -- of the data
	maps INTEGER NOT NULL CHECK (maps > 0), -- maps and allocations
	unmapped INTEGER NOT NULL, -- of these, ended by their unmap
	live INTEGER NOT NULL, -- of these, live when the trace ended
	size_bytes INTEGER NOT NULL, -- of all maps
	min_size_bytes INTEGER NOT NULL, -- smallest map
	max_size_bytes INTEGER NOT NULL, -- largest map
	lifetime_p50_ns INTEGER, -- half the lifetimes are no longer; less than twice the exact value
	lifetime_p90_ns INTEGER, -- 90 percent are no longer; the same
	lifetime_p99_ns INTEGER, -- 99 percent are no longer; the same
	lifetime_max_ns INTEGER, -- longest, exact; NULL: no map was unmapped
	syncs_for_cpu INTEGER NOT NULL, -- calls of dma_sync_*_for_cpu() on its mappings
	syncs_for_device INTEGER NOT NULL, -- calls of dma_sync_*_for_device() on its mappings
	remaps INTEGER NOT NULL, -- streaming maps of memory it mapped before, as far as remembered
	bounced INTEGER NOT NULL, -- streaming maps that went through swiotlb: the sum of the next three
	bounced_forced INTEGER NOT NULL, -- by swiotlb=force, or in a confidential guest
	bounced_mask INTEGER NOT NULL, -- memory above the mask of the device
	bounced_other INTEGER NOT NULL, -- alignment, small buffers, untrusted devices
	bounced_bytes INTEGER NOT NULL, -- size of the maps that bounced
	first_ns INTEGER NOT NULL, -- first map
	last_ns INTEGER NOT NULL, -- last map
	CHECK (bounced = bounced_forced + bounced_mask + bounced_other)
) STRICT;

CREATE TABLE call_site_lifetime (
	-- How long the mappings of each call site lived that were unmapped; no row for a count of 0
	call_site_id INTEGER NOT NULL REFERENCES call_site (id), -- whose
	low_ns INTEGER NOT NULL, -- shortest lifetime of the bucket
	high_ns INTEGER NOT NULL, -- longest lifetime of the bucket: a power of two, less 1
	count INTEGER NOT NULL CHECK (count > 0), -- mappings
	PRIMARY KEY (call_site_id, low_ns)
) STRICT, WITHOUT ROWID;

// SPDX-License-Identifier: LGPL-2.1-only
// What mapping costs a device: latencies, bounces, breakdowns, reuse, call sites.
"use strict";

const SECONDS = (rowsOf("counting")[0] || {}).seconds;

function mineOf(name, device) {
	return rowsOf(name).filter((row) => row.device_id === device.device_id);
}

const LATENCY_TITLES = Object.fromEntries(TAKEN.map(([key, title, what]) => [key, [title, what]]));

function latenciesTable(device) {
	const rows = mineOf("latencies", device).filter((row) => LATENCY_TITLES[row.measure]);

	return rows.length ? table({
		caption: `Time that calls of ${deviceTitle(device)} take`, rows, cards: true, columns: [
			{ key: "measure", title: "time", render: (row) => LATENCY_TITLES[row.measure][0] },
			{ key: "what", title: "from, to", wide: true, render: (row) => LATENCY_TITLES[row.measure][1] },
			{ key: "count", title: "times", type: "count" },
			...["p50", "p90", "p99", "p999", "max", "sum"].map((key) => ({ key, type: "duration",
				title: { p999: "p99.9", sum: "in all" }[key] || key })),
		],
	}) : null;
}

function bouncesTable(device) {
	const rows = mineOf("bounces", device);

	return rows.length ? [heading(4, "Bounced through swiotlb"), table({
		caption: `Bounces of ${deviceTitle(device)}`, rows, cards: true, columns: [
			{ key: "bounced", title: "maps bounced", type: "count" },
			{ key: "share", title: "of its maps", type: "share" },
			{ key: "bytes", title: "bytes copied", type: "bytes" },
			{ key: "mask", title: "memory above its mask", type: "count" },
			{ key: "forced", title: "forced for all", type: "count" },
			{ key: "other", title: "alignment, small, untrusted", type: "count" },
			{ key: "largest_bytes", title: "largest", type: "bytes" },
			{ key: "peak_bytes", title: "most at one time", type: "bytes" },
			{ key: "peak_t", title: "at", type: "time" },
		],
	})] : null;
}

const DIMENSIONS = [
	["direction", "By direction", "direction", (key) => key.replace(/_/g, " ").toLowerCase()],
	["kind", "By family of calls", "family", String],
	["cpu", "By CPU", "CPU", String],
	["cpu_pair", "Mapped on one CPU, unmapped on another", "from, to", (key) => key.replace(">", " \u2192 ")],
];

function breakdownTable(device, [dimension, caption, title, name]) {
	const rows = mineOf("breakdown", device).filter((row) => row.dimension === dimension);
	const has = (key) => rows.some((row) => row[key]);
	const order = (key) => (/^\d+$/.test(key) ? Number(key) : key);
	const columns = [["maps", "maps"], ["unmaps", "unmaps"], ["syncs", "syncs"], ["failed", "failed"]];

	if (!rows.length)
		return null;
	if (dimension === "cpu")
		rows.sort((a, b) => compareValues(order(a.key), order(b.key)));
	return el("div", { class: "breakdown" }, heading(5, caption), table({
		caption: `${caption}: ${deviceTitle(device)}`, rows, columns: [
			{ key: "key", title, render: (row) => name(row.key), sort: (row) => order(row.key) },
			...columns.filter(([key]) => has(key)).map(([key, text]) => ({ key, title: text, type: "count" })),
			{ key: "bytes", title: "bytes", type: "bytes" },
			...(SECONDS && dimension !== "cpu_pair" ? [{ key: "rate", title: "maps/s", type: "perSecond",
				sort: (row) => row.maps, render: (row) => formatPerSecond(row.maps / SECONDS) }] : []),
		],
	}));
}

// Lists and addresses, in words and figures.
function reuseFacts(device) {
	const merge = mineOf("merges", device)[0], iova = mineOf("iova", device)[0];
	const reuse = mineOf("latencies", device).find((row) => row.measure === "reuse");
	const pairs = [
		...(merge ? [["scatter lists", formatCount(merge.lists)], ["entries to segments",
			`${formatCount(merge.entries)} to ${formatCount(merge.segments)} (${formatShare(1 - merge.ratio)} merged)`]] : []),
		...(iova ? [["DMA addresses", `${iova.low} to ${iova.high}`], ["span", formatBytes(iova.span_bytes)],
			["live at most, of the span", formatShare(iova.fill)]] : []),
		...(reuse ? [["address reused after (p50)", formatDuration(reuse.p50)]] : []),
		...(device.remaps ? [["maps of memory mapped before", formatCount(device.remaps)]] : []),
		...(device.handovers ? [["unmapped on another CPU", formatCount(device.handovers)]] : []),
	];

	return pairs.length ? [heading(4, "Lists and addresses"), facts(pairs)] : null;
}

function costsOf(device) {
	const charts = distributionCharts(device, TAKEN), latencies = latenciesTable(device);
	const parts = DIMENSIONS.map((dimension) => breakdownTable(device, dimension)).filter(Boolean);

	return [
		latencies ? [heading(4, "Where the time of calls goes"), latencies,
			charts.length ? el("div", { class: "charts" }, charts) : null] : null,
		bouncesTable(device),
		parts.length ? [heading(4, "Who calls"), el("div", { class: "breakdowns" }, parts)] : null,
		reuseFacts(device)];
}

// ---- one device

const KEY_FIGURES = [
	["maps", "maps and allocations", formatCount], ["unmaps", "unmaps and frees", formatCount],
	["syncs", "syncs", formatCount, true], ["live_at_end", "live at end", formatCount],
	["live_bytes_at_end", "live bytes at end", formatBytes],
	["maybe_elided", "unmaps maybe skipped", formatCount, true], ["peak_live", "peak live mappings", formatCount],
	["peak_live_bytes", "peak live bytes", formatBytes], ["peak_t", "peak at", formatTime],
	["failed", "failed", formatCount], ["pre_trace", "unmaps of older mappings", formatCount, true],
	["bytes_to_device", "to device", formatBytes, true], ["bytes_from_device", "from device", formatBytes, true],
	["bytes_bidirectional", "both ways", formatBytes, true], ["bytes_allocated", "allocated", formatBytes, true],
	["bounces", "bounces", formatCount, true], ["bounced_bytes", "bounced bytes", formatBytes, true],
	["lifetime_p50_ns", "lifetime p50", formatDuration], ["lifetime_p99_ns", "lifetime p99", formatDuration],
	["lifetime_max_ns", "lifetime max", formatDuration], ["maps_per_s", "maps a second", formatPerSecond, true],
	["bytes_per_s", "mapped a second", formatRate, true],
];

function sitesTable(device) {
	const rows = mineOf("sites", device), has = (key) => rows.some((row) => row[key]);

	const none = rows.some((row) => row.stack) ? null :
		el("p", { class: "quiet" }, "No call sites: the trace has no call stacks of this device's maps.");

	if (none && !rows.some((row) => row.remaps || row.bounced || row.syncs))
		return none;
	return [none, table({
		caption: `Call sites of ${deviceTitle(device)}`, rows, total: DATA.site_counts[device.device_id], filter: true,
		noun: "call sites", columns: [
			{ key: "function", title: "mapped by", render: (row) => el("code", {}, row.function ?
				row.function + (row.module ? ` [${row.module}]` : "") : "not known") },
			{ key: "mappings", title: "mappings", type: "count" }, { key: "size_bytes", title: "bytes", type: "bytes" },
			...(SECONDS ? [{ key: "rate", title: "maps/s", type: "perSecond", sort: (row) => row.mappings,
				render: (row) => formatPerSecond(row.mappings / SECONDS) }] : []),
			...["syncs", "remaps", "bounced"].filter(has).map((key) => ({ key, title: key, type: "count" })),
			{ key: "live", title: "live at end", type: "count" }, { key: "live_bytes", title: "live bytes", type: "bytes" },
			...["p50", "p99", "max"].map((key) => ({ key, title: "life " + key, type: "duration",
				sort: (row) => (row.ended ? row[key] : null),
				render: (row) => (row.ended ? formatDuration(row[key]) : DASH) })),
			{ key: "stack", title: "first stack", render: (row) => (row.stack ?
				lazyDetails({ class: "inline" }, "show", () => stackList(row.stack)) : DASH) },
		].filter((column) => !none || column.key !== "stack"),
	})];
}

// SPDX-License-Identifier: LGPL-2.1-only
// The page: verdict, findings, devices, losses, what was not judged; then each device in detail.
"use strict";

const devices = rowsOf("devices"), groups = rowsOf("groups"), notes = rowsOf("notes");
const counts = Object.fromEntries(rowsOf("severities").map((row) => [row.severity, row]));
const detailed = new Set(devices.filter((device) => device.is_detailed).map((device) => device.device_id));
const findings = DATA.findings;
const CLOCK_GAPS = Number(RUN.clock_gaps || 0);

function deviceTitle(device) {
	const isReborn = devices.some((other) => other !== device && other.device === device.device);

	return device.device + (isReborn ? ` #${device.generation}` : "");
}

const titles = new Map(devices.map((device) => [device.device_id, deviceTitle(device)]));

function deviceLink(id, name) {
	if (id === null || id === undefined)
		return DASH;
	const title = titles.get(id) || name || DASH;

	return detailed.has(id) ? el("a", { href: "#d" + id }, title) : title;
}

function heading(level, text, more) {
	return el("h" + level, {}, text, more ? el("small", {}, more) : null);
}

function section(id, title, ...content) {
	return el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title" }, title), content);
}

// ---- what it comes to

function countText(severity) {
	const count = counts[severity] ? counts[severity].count : 0;

	return count ? plural(count, severity) : null;
}

function unjudgedText() {
	const { rules, grave } = DATA.unjudged;
	const which = !grave ? "" : grave === rules ? ", about errors" : `, ${formatCount(grave)} of them about errors`;

	return rules ? `${plural(rules, "rule")} could not be judged${which}` : "All rules that were asked for could be judged";
}

function verdict() {
	const grave = ["error", "warning"].map(countText).filter(Boolean);
	const ids = new Set(groups.filter((group) => group.severity !== "info" && group.device_id !== null)
		.map((group) => group.device_id));
	// no green where an error could have gone unseen
	const worst = counts.error ? "error" : counts.warning ? "warning" : DATA.unjudged.grave || lossText() || CLOCK_GAPS ? "unsure" : "clean";
	const infos = countText("info");
	const text = grave.length ?
		`${grave.join(" and ")}${ids.size ? ` on ${plural(ids.size, "device")}` : ""}` :
		`No rule found broken; ${unjudgedText().replace(/^A/, "a")}`;
	const also = [grave.length ? unjudgedText() : null,
		infos ? `${infos.replace(/infos?$/, counts.info.count === 1 ? "remark" : "remarks")} for information` : null,
		lossText() ? "Some events are missing from the trace" : null,
		CLOCK_GAPS ? "The clock " + clockText() : null].filter(Boolean);

	return el("div", { class: "verdict " + worst }, el("h1", {}, text + "."),
		also.length ? el("p", {}, also.join(". ") + ".") : null);
}

// Where a clock stood still nothing is lost, but the order is not known.
function clockText() {
	return CLOCK_GAPS ? `stood still in ${plural(CLOCK_GAPS, "place")}: the order of events is not known there` : "";
}

function lossText() {
	const lost = Number(RUN.lost_events || 0), gaps = Number(RUN.gaps || 0) - CLOCK_GAPS, malformed = Number(RUN.malformed || 0);
	const parts = [];

	if (lost || gaps)
		parts.push((lost ? `${plural(lost, "event")} lost` : "events lost, the tracer does not say how many") +
			` in ${plural(gaps, "gap")}`);
	if (malformed)
		parts.push(`${plural(malformed, "record")} could not be decoded`);
	return parts.join("; ");
}

function facts(pairs) {
	return el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
		.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// Of a part of the time: which.
function toldText() {
	if (RUN.counted_to_ns === undefined)
		return null;
	const from = Number(BigInt(RUN.counted_from_ns) - BASE), to = Number(BigInt(RUN.counted_to_ns) - BASE);

	if (from <= 0 && to >= SPAN)
		return null;
	return from <= to ? `${formatDuration(to - from)} of it, from ${formatTime(from)} to ${formatTime(to)}` :
		"nothing of it: it has no such time";
}

function runFacts() {
	const inputs = rowsOf("inputs");
	const more = DATA.inputs.total > 1 ? ` and ${DATA.inputs.total - 1} more` : "";

	return facts([
		["Trace", inputs.length ? `${inputs[0].path} (${inputs[0].format})${more}` : null],
		["Kernel", RUN.kernel || "not recorded"],
		["Clock", (RUN.clock || "not recorded") + (CLOCK_IS_NS ? "" : " (not in nanoseconds)") +
			(CLOCK_GAPS ? ` (${clockText()})` : "")],
		["Span", SPAN ? `${formatDuration(SPAN)}, from ${formatTime(0)} to ${formatTime(SPAN)}` : null],
		["Told", toldText()],
		["Events", `${formatCount(Number(RUN.events || 0))} of DMA, swiotlb and IOMMU in ${formatCount(Number(RUN.records || 0))} records`],
		["Losses", lossText() || "none"],
	]);
}

// ---- findings, grouped by rule and device

function severityFilter(owner, rows) {
	const shown = new Set(SEVERITIES);

	owner.test = (row) => shown.has(row.severity);
	return el("div", { class: "chips", role: "group", "aria-label": "Severities shown" },
		SEVERITIES.filter((severity) => rows.some((row) => row.severity === severity)).map((severity) =>
			el("button", {
				type: "button", "aria-pressed": "true", onclick: (event) => {
					if (!shown.delete(severity))
						shown.add(severity);
					event.currentTarget.setAttribute("aria-pressed", String(shown.has(severity)));
					owner.show();
				},
			}, severityBadge(severity, `${severity} ${formatCount(counts[severity].count)}`))));
}

function findingsSection() {
	if (!groups.length)
		return section("findings", "Findings", el("p", { class: "quiet" }, "None."));
	const told = new Set(findings.map((finding) => finding.id));
	const list = new Table({
		caption: "Findings, by rule and device", rows: groups, total: DATA.groups.total, filter: true, cards: true,
		noun: "findings", columns: [
			{ key: "severity", title: "severity", render: (row) => severityBadge(row.severity),
				sort: (row) => SEVERITIES.indexOf(row.severity) },
			{ key: "rule", title: "rule", render: (row) => (told.has(row.id) ?
				el("a", { href: "#f" + row.id }, row.rule) : row.rule) },
			{ key: "device", title: "device", render: (row) => deviceLink(row.device_id, row.device) },
			{ key: "count", title: "times", type: "count" },
			{ key: "t", title: "first at", type: "time" },
			{ key: "confidence", title: "confidence" },
			{ key: "message", title: "the first of them", wide: true },
		],
	});

	return section("findings", "Findings", severityFilter(list, groups), list.element);
}

// ---- devices

function severityCounts(device) {
	const parts = [["error", device.errors], ["warning", device.warnings], ["info", device.infos]]
		.filter(([, count]) => count).map(([severity, count]) =>
			el("span", { title: plural(count, severity) }, severityBadge(severity, formatCount(count))));

	return parts.length ? parts : DASH;
}

// The columns that --columns named; whose they are is told anyway.
function askedColumns() {
	const asked = DATA.layout.filter(([key]) => key !== "device").map(([key, title, type]) => (
		type === "absolute" ? { key: "peak_t", title, type: "time" } : { key, title, type }));

	return [{ key: "device", title: "device", render: (row) => deviceLink(row.device_id, row.device) }, ...asked];
}

function devicesSection() {
	const has = (key) => devices.some((device) => device[key]);
	const optional = (column) => (has(column.key) ? [column] : []);
	const spark = (device) => (DATA.series[device.device_id] || {}).live_bytes;

	return section("devices", "Devices", table({
		caption: "Devices", rows: devices, total: DATA.devices.total, filter: true, noun: "devices", cards: true,
		columns: DATA.layout ? askedColumns() : [
			{ key: "device", title: "device", render: (row) => deviceLink(row.device_id, row.device) },
			...optional({ key: "driver", title: "driver" }),
			{ key: "address_mode", title: "mode" },
			{ key: "errors", title: "findings", render: severityCounts,
				sort: (row) => -(row.errors * 1e12 + row.warnings * 1e6 + row.infos) },
			{ key: "peak_live_bytes", title: "live bytes over time", figure: true, sort: (row) => row.peak_live_bytes,
				render: (row) => (spark(row) ? sparkline(spark(row)) : DASH) },
			{ key: "peak_live_bytes", title: "peak", type: "bytes" },
			{ key: "live_at_end", title: "live at end", type: "count" },
			...optional({ key: "maybe_elided", title: "maybe elided", type: "count" }),
			{ key: "maps", title: "maps", type: "count" },
			{ key: "unmaps", title: "unmaps", type: "count" },
			...optional({ key: "failed", title: "failed", type: "count" }),
			...optional({ key: "bytes_to_device", title: "to device", type: "bytes" }),
			...optional({ key: "bytes_from_device", title: "from device", type: "bytes" }),
			...optional({ key: "bounced_bytes", title: "bytes copied", type: "bytes" }),
			{ key: "lifetime_p50_ns", title: "life p50", type: "duration" },
			{ key: "lifetime_p99_ns", title: "life p99", type: "duration" },
		],
	}));
}

function driversSection() {
	const rows = rowsOf("drivers"), has = (key) => rows.some((row) => row[key]);

	if (!rows.some((row) => row.driver))
		return null;
	return section("drivers", "Drivers", table({
		caption: "Drivers", rows, total: DATA.drivers.total, filter: true, noun: "drivers", cards: true,
		columns: [
			{ key: "driver", title: "driver", render: (row) => row.driver || "not known" },
			{ key: "devices", title: "devices", type: "count" },
			{ key: "maps", title: "maps", type: "count" },
			...(has("maps_per_s") ? [{ key: "maps_per_s", title: "maps/s", type: "perSecond" }] : []),
			{ key: "bytes", title: "mapped", type: "bytes" },
			...(has("bytes_per_s") ? [{ key: "bytes_per_s", title: "mapped/s", type: "rate" }] : []),
			...(has("failed") ? [{ key: "failed", title: "failed", type: "count" }] : []),
			...(has("bounced_share") ? [{ key: "bounced_share", title: "maps bounced", type: "share" }] : []),
			{ key: "p50", title: "life p50", type: "duration" },
			{ key: "p99", title: "life p99", type: "duration" },
		],
	}));
}

// ---- losses, and what was not judged

function lossesSection() {
	const gaps = rowsOf("gaps"), tracepoints = rowsOf("tracepoints");

	return section("losses", "Losses", el("p", {}, lossText() ? lossText() + "." : "None: the tracer lost no event, and every record could be decoded.",
		CLOCK_GAPS ? ` The clock ${clockText()}.` : ""),
		gaps.length ? lazyDetails({ class: "numbers" }, "Gaps", () => table({
			caption: "Gaps", rows: gaps, total: DATA.gaps.total, columns: [
				{ key: "cpu", title: "CPU", type: "count" }, { key: "after_t", title: "after", type: "time" },
				{ key: "before_t", title: "before", type: "time" },
				{ key: "lost", title: "events lost", type: "count" }],
		})) : null,
		lazyDetails({ class: "numbers" }, "Tracepoints in the trace", () => table({
			caption: "Tracepoints", rows: tracepoints, total: DATA.tracepoints.total, filter: true, columns: [
				{ key: "name", title: "tracepoint", render: (row) => `${row.system}:${row.name}`,
					sort: (row) => row.system + ":" + row.name },
				{ key: "records", title: "records", type: "count" },
				{ key: "malformed", title: "not decodable", type: "count" },
				{ key: "decoded", title: "used", render: (row) => (row.decoded ? "yes" : "no") },
				{ key: "reason", title: "why not decodable" }],
		})));
}

// The same of many devices is said once.
function groupNotes(rows) {
	const groupsOf = new Map();

	for (const row of rows) {
		const key = `${row.rule}\n${row.reason}\n${row.device_id === null}`;
		const group = groupsOf.get(key) || { ...row, devices: [] };

		group.devices.push(row);
		groupsOf.set(key, group);
	}
	return [...groupsOf.values()].map((group) => ({
		...group, device: group.devices.map((row) => row.device || "all").join(" "),
	}));
}

function noteDevices(note) {
	if (note.device_id === null)
		return "all";
	if (note.devices.length === 1)
		return deviceLink(note.device_id, note.device);
	return el("details", {}, el("summary", {}, plural(note.devices.length, "device")),
		note.devices.map((row) => el("div", {}, deviceLink(row.device_id, row.device))));
}

function notesTable(all, caption, withDevice) {
	const rows = groupNotes(all);

	return table({
		caption, rows, total: withDevice ? rows.length + DATA.notes.total - notes.length : undefined, filter: withDevice, noun: "rules", cards: true,
		columns: [{ key: "rule", title: "rule or area", render: (row) => row.rule || "the whole run" },
			...(withDevice ? [{ key: "device", title: "device", render: noteDevices }] : []),
			{ key: "reason", title: "why", wide: true }],
	});
}

function notesSection() {
	return section("not-judged", "Not judged, and why",
		notes.length ? notesTable(notes, "Not judged", true) : el("p", { class: "quiet" }, "Nothing: every rule could be judged."));
}

// ---- one finding

const CALLS = {
	call: "Broken", map: "Mapped", other_map: "Mapped before, over the same memory", unmap: "Already unmapped", site: "Call site",
};

function callTitle(call) {
	const parts = [CALLS[call.what] || call.what];

	if (call.t !== undefined)
		parts.push(`at ${formatTime(call.t)}`);
	if (call.cpu !== undefined)
		parts.push(`on CPU ${call.cpu}, ${call.comm || "pid"}${call.comm ? "-" : " "}${call.pid}`);
	if (call.device)
		parts.push(`for ${call.device}`);
	return parts.join(" ");
}

function stackList(id) {
	const frames = DATA.stacks[id];

	return frames && frames.length ?
		el("ol", { class: "stack" }, frames.map((frame) => el("li", {}, DATA.frames[frame]))) :
		el("p", { class: "quiet" }, "No call stack was recorded.");
}

function factsOf(finding) {
	const pairs = Object.entries(finding.facts).map(([key, value]) => {
		const name = key.replace(/_(ns|bytes)$/, "").replace(/_/g, " ");

		if (typeof value === "number" && key.endsWith("_bytes"))
			return [name, `${formatBytes(value)}${value >= 1024 ? ` (${formatCount(value)})` : ""}`];
		if (typeof value === "number" && key.endsWith("_ns"))
			return [name, formatDuration(value)];
		return [name, String(value)];
	});

	return facts([...pairs, ["fingerprint", finding.fingerprint]]);
}

function findingBody(finding) {
	const rule = DATA.rules[finding.rule] || {};
	const lane = DATA.lanes[finding.id];

	return el("div", { class: "body" },
		finding.reason ? el("p", { class: "doubt" }, `Only ${finding.confidence}: ${finding.reason}.`) : null,
		rule.cause ? el("p", {}, el("b", {}, "Cause "), rule.cause) : null,
		rule.cure ? el("p", {}, el("b", {}, "Cure "), rule.cure) : null,
		el("div", { class: "calls" }, finding.calls.map((call) =>
			el("details", { open: true }, el("summary", {}, callTitle(call)), stackList(call.stack)))),
		lane && lane.mappings.length ? new Lane(finding).element : null,
		factsOf(finding));
}

function findingDetails(finding) {
	const details = lazyDetails({ class: "finding " + finding.severity, id: "f" + finding.id },
		el("span", {}, severityBadge(finding.severity), " ", el("b", {}, finding.rule), " ",
			el("time", {}, formatTime(finding.t)), " ", el("span", { class: "message" }, finding.message)),
		() => findingBody(finding));

	return details;
}

function findingsOf(id) {
	const mine = findings.filter((finding) => (finding.device_id === undefined ? null : finding.device_id) === id);
	const total = groups.filter((group) => group.device_id === id).reduce((sum, group) => sum + group.count, 0);

	if (!mine.length && !total)
		return null;
	const grave = mine.filter((finding) => finding.severity !== "info");
	const infos = mine.filter((finding) => finding.severity === "info");

	return [heading(4, "Findings"), grave.map(findingDetails), infos.length ?
		el("details", { class: "infos", open: !grave.length && infos.length < 4 },
			el("summary", {}, plural(infos.length, "remark") + " for information"), infos.map(findingDetails)) : null,
	total > mine.length ? el("p", { class: "more" }, `And ${formatCount(total - mine.length)} more of these.`) : null];
}

function deviceBody(device) {
	const marks = findings.filter((finding) => finding.device_id === device.device_id && finding.severity !== "info");
	const mine = notes.filter((note) => note.device_id === device.device_id);
	const figures = deviceCharts(device, marks);

	return el("div", { class: "body" },
		facts([["bus", device.bus], ["DMA mask", device.has_mask ? device.dma_mask : null],
			["IOMMU group", device.iommu_group],
			...KEY_FIGURES.filter(([key, , , isOptional]) => !isOptional || device[key])
				.map(([key, name, format]) => [name, format(device[key])])]),
		findingsOf(device.device_id),
		figures.length ? [heading(4, "Over time, and how distributed"), el("div", { class: "charts" }, figures)] : null,
		costsOf(device),
		heading(4, "Call sites"), sitesTable(device),
		mine.length ? [heading(4, "Not judged on this device"), notesTable(mine, `Not judged on ${deviceTitle(device)}`, false)] : null);
}

function deviceDetails(device) {
	const badges = severityCounts(device);

	return lazyDetails({ class: "device", id: "d" + device.device_id },
		el("span", {}, el("h3", {}, deviceTitle(device)), el("span", { class: "quiet" },
			[device.driver, device.address_mode].filter(Boolean).join(" \u00b7 ")), badges === DASH ? null : badges),
		() => deviceBody(device));
}

function detailsSection() {
	const shown = devices.filter((device) => device.is_detailed);
	const rest = DATA.devices.total - shown.length;
	const homeless = findingsOf(null);

	return section("details", "Device by device",
		el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => openAll(true) }, "Open all"),
			el("button", { type: "button", onclick: () => openAll(false) }, "Close all")),
		shown.map(deviceDetails),
		rest > 0 ? el("p", { class: "more" }, `And ${plural(rest, "device")} more in the database.`) : null,
		homeless ? el("section", {}, el("h3", {}, "No device"), homeless) : null);
}

function openAll(isOpen) {
	for (const details of document.querySelectorAll("details.device"))
		details.open = isOpen;
}

// ---- links into what is folded, theme, paper

function make(details) {
	details.open = true;
	if (!details.made)
		details.dispatchEvent(new Event("toggle")); // its own comes later, too late for a link
}

function follow() {
	const id = decodeURIComponent(location.hash.slice(1));
	const finding = /^f\d+$/.test(id) && findings.find((each) => "f" + each.id === id);

	if (finding && finding.device_id !== undefined && document.getElementById("d" + finding.device_id))
		make(document.getElementById("d" + finding.device_id));
	const target = id && document.getElementById(id);

	for (let each = target; each; each = each.parentElement) {
		if (each.tagName === "DETAILS")
			make(each);
	}
	if (target)
		target.scrollIntoView();
}

// On paper nothing unfolds: the gravest findings are opened for it.
const FINDINGS_ON_PAPER = 12;

function unfoldForPaper() {
	const folded = [...document.querySelectorAll("details.finding.error, details.finding.warning")]
		.filter((details) => !details.open && details.parentElement.closest("details").open);

	for (const details of folded.slice(0, FINDINGS_ON_PAPER))
		make(details);
	return folded;
}

// Paper does not scroll: what is wider is made smaller.
function fitTables() {
	for (const each of document.querySelectorAll(".scroll > table")) {
		const room = each.parentElement.clientWidth;

		if (room && each.scrollWidth > room)
			each.style.zoom = (room / each.scrollWidth).toFixed(3);
	}
}

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
	if (theme === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	redrawCharts();
}

function themeButton() {
	const button = document.getElementById("theme");
	let theme = "auto";

	button.addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		button.textContent = "Theme: " + theme;
		setTheme(theme);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
	let unfolded = [];

	window.addEventListener("beforeprint", () => {
		document.documentElement.dataset.paper = ""; // as wide as paper, while it is drawn
		unfolded = unfoldForPaper();
		setTheme("light");
		drawAllCharts();
		for (const plot of document.querySelectorAll(".plot"))
			plot.lane.draw();
		fitTables();
	});
	window.addEventListener("afterprint", () => {
		for (const details of unfolded)
			details.open = false;
		delete document.documentElement.dataset.paper;
		for (const each of document.querySelectorAll("table"))
			each.style.zoom = "";
		setTheme(theme);
	});
	document.getElementById("print").addEventListener("click", () => window.print());
}

function main() {
	const inputs = rowsOf("inputs");
	const name = inputs.length ? inputs[0].path.replace(/^.*\//, "") : "";

	document.title = name ? `${name} \u2013 dmascope` : "dmascope report";
	document.getElementById("source").textContent = name;
	document.getElementById("main").append(...[verdict(), runFacts(), findingsSection(), devicesSection(),
		driversSection(), lossesSection(), notesSection(), detailsSection()].filter(Boolean));
	document.getElementById("footer").textContent = `dmascope ${DATA.tool}. Everything shown is in this file; it loads nothing.`;
	themeButton();
	const graves = devices.filter((device) => device.errors || device.warnings);
	const first = (graves.length ? graves : devices).filter((device) => device.is_detailed).slice(0, 3);

	for (const device of first)
		make(document.getElementById("d" + device.device_id));
	window.addEventListener("hashchange", follow);
	follow();
}

main();

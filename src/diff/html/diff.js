// SPDX-License-Identifier: LGPL-2.1-only
// The page of a comparison: verdict, runs, findings by state, metrics, charts of both sides.
"use strict";

const SIDES = [["base", "Base"], ["head", "Head"]];
// Told by word and sign, not by colour alone: class and sign of each state.
const STATES = {
	"new": ["bad", "+"], "worse": ["bad", "\u25b2"], "not judged": ["open", "?"], "too noisy": ["open", "~"],
	"better": ["good", "\u25bc"], "fixed": ["good", "\u2713"], "unchanged": ["same", "="],
};
const STATE_ORDER = Object.keys(STATES);

function section(id, title, ...content) {
	return el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title" }, title), content);
}

function stateMark(state) {
	const [look, sign] = STATES[state] || ["open", "?"];

	return el("span", { class: "state " + look }, el("span", { "aria-hidden": "true" }, sign + " "), state);
}

function moreText(list) {
	const rest = list.total - list.items.length;

	return rest > 0 ? el("p", { class: "more" }, `And ${formatCount(rest)} more, which are in the other outputs.`) : null;
}

// ---- what it comes to

function verdictBox() {
	const { name, grade, headline } = DATA.verdict;

	return el("div", { class: "verdict " + grade, id: "verdict" },
		el("h1", {}, name, el("small", {}, headline)),
		DATA.reasons.items.length ? el("ul", {}, DATA.reasons.items.map((reason) => el("li", {}, reason))) : null,
		moreText(DATA.reasons));
}

function runFacts(run) {
	const losses = run.lost || run.gaps ? `${run.lost ? formatCount(run.lost) : "unknown"} events in ${plural(run.gaps, "gap")}` : "none";
	const facts = [
		["kernel", run.kernel], ["events", formatCount(run.events)],
		["counted", run.seconds ? `${run.seconds.toFixed(1)} s` : null], ["losses", losses],
		["complete", run.complete ? null : "no"], ["call stacks", run.stacks ? null : "none"],
		["kind of file", run.database ? "database" : "baseline"], ["judged by dmascope", run.version],
	];

	return [el("p", {}, el("strong", {}, run.path)),
		el("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value !== undefined).map(([title, value]) =>
			el("div", {}, el("dt", {}, title), el("dd", {}, value))))];
}

function runsSection() {
	return section("runs", "Runs", el("div", { class: "sides" }, SIDES.map(([side, title]) => {
		const runs = DATA[side + "Runs"];

		return el("div", {}, el("h3", {}, runs.total > 1 ? `${title}, ${formatCount(runs.total)} runs` : title),
			runs.items.length ? runs.items.map(runFacts) : el("p", { class: "quiet" }, "None: all that was found is new."),
			moreText(runs));
	})));
}

// ---- findings

function frameText([name, module]) {
	return (name || "unknown") + (module ? ` [${module}]` : "");
}

function stackDetails(title, frames) {
	return el("details", { open: true }, el("summary", {}, title), frames.length ?
		el("ol", { class: "stack" }, frames.map((frame) => el("li", {}, frameText(frame)))) :
		el("p", { class: "quiet" }, "Not known."));
}

function findingBody(finding) {
	const pairs = [
		["device", finding.device], ["direction", finding.direction], ["found in runs of base, head", `${finding.runsBase}, ${finding.runsHead}`],
		["confidence", finding.confidence + (finding.doubt ? `: ${finding.doubt}` : "")],
		["suppressed by", finding.suppressed && `${finding.suppressed}: ${finding.because}`],
	];

	return el("div", { class: "body" }, el("p", {}, finding.message),
		finding.why ? el("p", { class: "doubt" }, finding.why) : null,
		el("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(([title, value]) =>
			el("div", {}, el("dt", {}, title), el("dd", {}, value)))),
		el("div", { class: "calls" }, stackDetails("It was broken by", finding.frames),
			stackDetails("It was mapped by", finding.mapFrames)),
		finding.cause ? el("p", { class: "quiet" }, finding.cause) : null,
		finding.cure ? el("p", { class: "quiet" }, finding.cure) : null,
		el("p", { class: "fingerprint" }, "Fingerprint: ", el("code", {}, finding.fingerprint)));
}

function countText(finding) {
	const times = (value) => (value === null ? "none" : formatCount(value));
	const head = finding.head === null && finding.state === "not judged" ? "?" : times(finding.head);

	return `${times(finding.base)} \u2192 ${head}`;
}

// Direction and size class, which tell findings of one function apart: the end of a fingerprint.
function shapeText(finding) {
	return finding.fingerprint.split(":").slice(-2).filter((part) => part !== "-").join(" ");
}

function findingDetails(finding) {
	return lazyDetails({ class: "finding " + (finding.fails || !finding.suppressed && ["new", "worse"].includes(finding.state) ?
		finding.severity : "info") },
	el("span", {}, stateMark(finding.state), severityBadge(finding.severity), el("strong", {}, finding.rule), ` on ${finding.kind} `,
		finding.site !== "-" ? el("code", {}, finding.site) : null, el("span", { class: "quiet" }, ` ${shapeText(finding)}`), el("span", { class: "quiet" }, `, ${countText(finding)}`),
		finding.fails ? el("strong", {}, " fails") : null),
	() => findingBody(finding));
}

function findingsSection() {
	const own = DATA.findings.items.filter((finding) => finding.suppressed === null);

	if (!own.length)
		return section("findings", "Findings", el("p", { class: "quiet" }, "None."));
	return section("findings", "Findings", STATE_ORDER.filter((state) => own.some((finding) => finding.state === state)).map((state) => {
		const those = own.filter((finding) => finding.state === state);

		return [el("h3", { class: "group" }, `${state[0].toUpperCase()}${state.slice(1)}: ${formatCount(those.length)}`),
			those.map(findingDetails)];
	}), moreText(DATA.findings));
}

function suppressedSection() {
	const those = DATA.findings.items.filter((finding) => finding.suppressed !== null);

	if (!those.length && !DATA.idle.total)
		return null;
	return section("suppressed", "Suppressed", el("p", { class: "quiet" }, "These never fail."),
		those.map(findingDetails),
		DATA.idle.items.length ? table({
			caption: "Suppressions that did nothing", rows: DATA.idle.items, total: DATA.idle.total, cards: true, columns: [
				{ key: "name", title: "suppression" }, { key: "what", title: "it is" }, { key: "place", title: "where" },
				{ key: "reason", title: "reason", wide: true }],
		}) : null);
}

// ---- metrics

// Base and head as two bars on a scale of their own.
function bars(row) {
	const most = Math.max(Math.abs(row.base || 0), Math.abs(row.head || 0)) || 1;
	const width = (value) => (value ? Math.max(Math.abs(value) / most, 0.01) * 110 : 0);
	const look = { worse: "bad", better: "good" }[row.state] || "";

	return svg("svg", { class: "bars", width: 112, height: 20, role: "img", "aria-label": `base ${row.baseText}, head ${row.headText}` },
		svg("rect", { class: "base", x: 0, y: 2, width: width(row.base), height: 7 }),
		svg("rect", { class: "head " + look, x: 0, y: 11, width: width(row.head), height: 7 }));
}

function howText(row) {
	const effect = row.effect === null ? DASH : row.effect.toFixed(2);
	const test = row.p === "-" ? null : `Mann-Whitney p ${row.p} (corrected ${row.holm}), Cliff's delta ${effect}, ` +
		`${row.nBase} against ${plural(row.nHead, "run")}`;

	return [row.why, test, `${formatCount(row.samplesBase)} and ${plural(row.samplesHead, "value")}`].filter(Boolean).join("; ");
}

function metricsSection() {
	if (!DATA.metrics.total)
		return section("metrics", "Metrics", el("p", { class: "quiet" }, "There are none to compare."));
	const rows = DATA.metrics.items.map((row) => ({ ...row, of: `${row.scope} ${row.subject}`, how: howText(row) }));

	return section("metrics", "Metrics", el("p", { class: "quiet" }, "Grey is the base, colour the head; the longer bar of a row fills its cell."),
		table({
			caption: "Metrics of base and head", rows, total: DATA.metrics.total, filter: true, cards: true, noun: "metrics", columns: [
				{ key: "title", title: "metric" }, { key: "of", title: "of", wide: true },
				{ key: "state", title: "state", render: (row) => [stateMark(row.state), row.fails ? el("strong", {}, "fails") : null],
					sort: (row) => STATE_ORDER.indexOf(row.state) },
				{ key: "baseText", title: "base", type: "number", sort: (row) => row.base },
				{ key: "headText", title: "head", type: "number", sort: (row) => row.head },
				{ key: "bars", title: "base, head", render: bars, sort: (row) => row.head },
				{ key: "changeText", title: "change", type: "number", sort: (row) => row.change },
				{ key: "limit", title: "counts beyond" }, { key: "how", title: "how it was judged", wide: true }],
		}));
}

// ---- charts: the same kind, the same axes, side by side

function missingText(side) {
	const runs = DATA[side + "Runs"];

	if (!runs.total)
		return "There is no base.";
	if (!runs.items[0].database)
		return "This side is a baseline file: it keeps no figures over time. Give the database to see them.";
	return "This side has none.";
}

function sideFigure(side, title, figure) {
	return figure ? figure : el("figure", {}, el("figcaption", {}, el("strong", {}, title)),
		el("p", { class: "quiet" }, missingText(side)));
}

function liveFigures(of) {
	const most = largest(SIDES.map(([side]) => largest((of[side].live || []))));

	return SIDES.map(([side, name]) => {
		const values = of[side].live, xs = pointTimes(), title = `Live bytes, ${side}`;

		return sideFigure(side, title, values && chartFigure({
			title, type: "bytes", most, xs, says: `Peak ${formatBytes(largest(values))}`,
			lines: [{ name: `live bytes, ${name.toLowerCase()}`, colour: side === "base" ? "orange" : "blue", values }],
			label: (i) => formatDuration(xs[i]),
		}));
	});
}

function lifetimeFigures(of) {
	const steps = SIDES.flatMap(([side]) => (of[side].lifetime || []).map(([step]) => step));
	const first = Math.min(...steps), last = Math.max(...steps);
	const most = largest(SIDES.flatMap(([side]) => (of[side].lifetime || []).map(([, count]) => count)));
	const xs = Array.from({ length: last - first + 1 }, (_, i) => first + i);
	const range = (step) => `${formatDuration(stepLow(step))} to ${formatDuration(stepLow(step + 1))}`;

	return SIDES.map(([side]) => {
		const own = of[side].lifetime, title = `Lifetimes, ${side}`;

		if (!own || !own.length)
			return sideFigure(side, title, null);
		const counts = new Map(own), busiest = own.reduce((a, b) => (b[1] > a[1] ? b : a));

		return chartFigure({
			title, xTitle: "from map to unmap", bars: true, type: "count", xs, most, says: `Most often ${range(busiest[0])}`,
			lines: [{ name: "mappings", colour: side === "base" ? "orange" : "blue", values: xs.map((x) => counts.get(x) || 0) }],
			label: (i) => range(xs[i]), tick: (step) => formatDuration(stepLow(step)),
		});
	});
}

function kindCharts(kind) {
	const of = { base: DATA.baseCharts[kind] || {}, head: DATA.headCharts[kind] || {} };
	const has = (name) => SIDES.some(([side]) => of[side][name] && of[side][name].length);

	if (!has("live") && !has("lifetime"))
		return null;
	return el("div", { class: "kindcharts" }, el("h3", {}, kind),
		has("live") ? el("div", { class: "sides" }, liveFigures(of)) : null,
		has("lifetime") ? el("div", { class: "sides" }, lifetimeFigures(of)) : null);
}

function chartsSection() {
	const charts = DATA.kinds.map(kindCharts).filter(Boolean);
	const several = SIDES.filter(([side]) => DATA[side + "Runs"].total > 1).map(([side]) => side);

	return section("charts", "Both sides, by kind of device",
		el("p", { class: "quiet" }, charts.length ? "The axes of a pair are the same." + (several.length ?
			` Of several runs the first is drawn (${several.join(" and ")}).` : "") :
			"Neither side has figures over time: charts need the databases, not baseline files."), charts);
}

// ---- what could not be judged

function coverageSection() {
	if (!DATA.coverage.total)
		return null;
	return section("not-judged", "What could not be judged", table({
		caption: "What could not be judged, and on which side", rows: DATA.coverage.items, total: DATA.coverage.total, cards: true, noun: "rows", filter: true,
		columns: [{ key: "side", title: "side" }, { key: "rule", title: "rule", render: (row) => row.rule || "everything" },
			{ key: "kind", title: "device kind", render: (row) => row.kind || "all" }, { key: "reason", title: "why", wide: true }],
	}));
}

// ---- theme, paper

const THEMES = ["auto", "light", "dark"];
const FINDINGS_ON_PAPER = 12;

function setTheme(theme) {
	if (theme === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	redrawCharts();
}

function unfoldForPaper() {
	const folded = [...document.querySelectorAll("details.finding.error, details.finding.warning")]
		.filter((details) => !details.open).slice(0, FINDINGS_ON_PAPER);

	for (const details of folded) {
		details.open = true;
		details.dispatchEvent(new Event("toggle")); // its own comes later, too late for paper
	}
	return folded;
}

function openAll(isOpen) {
	for (const details of document.querySelectorAll("details.finding"))
		details.open = isOpen;
}

function listenToReader() {
	const button = document.getElementById("theme");
	let theme = "auto", unfolded = [];

	button.addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		button.textContent = "Theme: " + theme;
		setTheme(theme);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
	window.addEventListener("beforeprint", () => {
		document.documentElement.dataset.paper = ""; // as wide as paper, while it is drawn
		unfolded = unfoldForPaper();
		setTheme("light");
		drawAllCharts();
	});
	window.addEventListener("afterprint", () => {
		for (const details of unfolded)
			details.open = false;
		delete document.documentElement.dataset.paper;
		setTheme(theme);
	});
	document.getElementById("print").addEventListener("click", () => window.print());
}

function pathText(side) {
	const runs = DATA[side + "Runs"];

	return runs.items.length ? runs.items[0].path.replace(/^.*\//, "") + (runs.total > 1 ? ` and ${runs.total - 1} more` : "") : "nothing";
}

document.title = `${DATA.verdict.name} \u2013 dmascope diff`;
document.getElementById("source").textContent = `${pathText("base")} \u2192 ${pathText("head")}`;
document.getElementById("main").append(...[verdictBox(), findingsSection(), suppressedSection(), metricsSection(), chartsSection(),
	coverageSection(), runsSection()].filter(Boolean));
document.getElementById("footer").textContent = `dmascope ${DATA.tool}. Everything shown is in this file; it loads nothing.`;
listenToReader();

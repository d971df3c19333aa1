// SPDX-License-Identifier: LGPL-2.1-only
// The data of the page, numbers for people, and elements. Whatever comes out of the data is set
// as text: there is no way from it to markup.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);

// Rows of a table of the data as objects.
function rowsOf(name) {
	const { columns, rows } = DATA[name];

	return rows.map((row) => Object.fromEntries(columns.map((key, i) => [key, row[i]])));
}

const RUN = Object.fromEntries(rowsOf("run").map((row) => [row.key, row.value]));
const CLOCK_IS_NS = RUN.clock_is_ns !== "0";
const BASE = BigInt(DATA.base);
const SPAN = RUN.last_ns === undefined ? 0 : Number(BigInt(RUN.last_ns) - BASE);
const DASH = "\u2013";
const NBSP = "\u00a0";

// ---- numbers; the same words as in the text summary

function formatCount(value) {
	return value === null || value === undefined ? DASH : value.toLocaleString("en-US");
}

function plural(count, noun, nouns) {
	return formatCount(count) + " " + (count === 1 ? noun : nouns || noun + "s");
}

function scaled(value, base, units) {
	let i = 0;

	while (i + 1 < units.length && value >= base * 0.99995) {
		value /= base;
		i++;
	}
	return (i && value < 99.95 ? value.toFixed(1) : Math.round(value)) + NBSP + units[i];
}

function formatBytes(value) {
	if (value === null || value === undefined)
		return DASH;
	return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);
}

// Of rates three digits count.
function threeDigits(value) {
	if (!value)
		return "0";
	return value < 999.5 ? value.toPrecision(3) : formatCount(Number(value.toPrecision(3)));
}

function formatRate(value) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let i = 0;

	if (value === null || value === undefined)
		return DASH;
	if (!CLOCK_IS_NS)
		return formatBytes(value);
	for (; i + 1 < units.length && value >= 999.5; i++)
		value /= 1024;
	return threeDigits(value) + NBSP + units[i] + "/s";
}

function formatPerSecond(value) {
	return value === null || value === undefined ? DASH : threeDigits(value) + "/s";
}

function formatShare(value) {
	return value === null || value === undefined ? DASH : (100 * value).toFixed(1) + NBSP + "%";
}

function formatDuration(value) {
	if (value === null || value === undefined)
		return DASH;
	if (!CLOCK_IS_NS)
		return formatCount(Math.round(value)) + NBSP + "ticks";
	if (value < 0)
		return "-" + formatDuration(-value);
	if (value === 0)
		return "0";
	if (value < 1e9)
		return scaled(value, 1000, ["ns", "\u00b5s", "ms"]);
	return value < 99.95e9 ? (value / 1e9).toFixed(1) + NBSP + "s" : Math.round(value / 1e9) + NBSP + "s";
}

// A time of the trace clock, as trace-cmd prints it.
function formatTime(t) {
	if (t === null || t === undefined)
		return DASH;
	const ts = BASE + BigInt(t);

	if (!CLOCK_IS_NS)
		return ts.toString();
	return ts / 1000000000n + "." + (ts % 1000000000n).toString().padStart(9, "0");
}

// Marks of the scale that C calls html_step_of(): the smallest value of a step.
function stepLow(step) {
	return step < 4 ? step : (4 + (step % 4)) * 2 ** (Math.floor(step / 4) - 1);
}

// ---- elements

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {})) {
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (value !== undefined && value !== null && value !== false)
			element.setAttribute(key, value === true ? "" : value);
	}
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false)
			element.append(child); // a string becomes a text node
	}
	return element;
}

function el(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

// What is inside is made when it is first opened: a page may hold thousands of rows.
function lazyDetails(attributes, summary, make) {
	const details = el("details", attributes, el("summary", {}, summary));

	details.addEventListener("toggle", () => {
		if (details.open && !details.made) {
			details.made = true;
			details.append(...[make()].flat());
		}
	});
	return details;
}

const SEVERITIES = ["error", "warning", "info"];
// Told by shape and word, not by colour alone.
const SIGNS = { error: "\u25cf", warning: "\u25b2", info: "\u25cb" };

function severityBadge(severity, text) {
	const known = SEVERITIES.includes(severity) ? severity : "info";

	return el("span", { class: "badge " + known }, el("span", { "aria-hidden": "true" }, SIGNS[known]),
		" " + (text === undefined ? severity : text));
}

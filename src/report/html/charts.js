// SPDX-License-Identifier: LGPL-2.1-only
// Charts of a device, drawn by Chart.js when they come into sight; each with its numbers as a table.
"use strict";

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

const charts = new Set(); // drawn, to be drawn again when the theme changes

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function faded(hex) {
	return hex + "26";
}

// Vertical lines where rules were broken.
const markFindings = {
	id: "findings",
	afterDatasetsDraw(chart, args, options) {
		const { ctx, chartArea, scales } = chart;

		ctx.save();
		ctx.setLineDash([3, 3]);
		for (const { t, severity } of options.marks || []) {
			const x = scales.x.getPixelForValue(t);

			if (x < chartArea.left || x > chartArea.right)
				continue;
			ctx.strokeStyle = colour(severity);
			ctx.beginPath();
			ctx.moveTo(x, chartArea.top);
			ctx.lineTo(x, chartArea.bottom);
			ctx.stroke();
		}
		ctx.restore();
	},
};

function axis(title, format, more) {
	return {
		title: { display: Boolean(title), text: title, color: colour("quiet"), font: { size: 11 } },
		grid: { color: colour("line"), drawBorder: false, tickLength: 4 },
		ticks: { color: colour("quiet"), font: { size: 11 }, maxRotation: 0, autoSkipPadding: 16, callback: format },
		...more,
	};
}

function baseOptions(chart) {
	return {
		animation: false, responsive: true, maintainAspectRatio: false,
		interaction: { mode: "index", intersect: false },
		elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 1.5 } },
		plugins: {
			legend: {
				display: chart.lines.length > 1, align: "start",
				labels: { color: colour("text"), boxWidth: 10, boxHeight: 2, font: { size: 12 } },
			},
			tooltip: {
				callbacks: {
					title: (items) => chart.label(Math.min(items[0].dataIndex, chart.xs.length - 1)),
					label: (item) => ` ${item.dataset.label}: ${chart.format(item.raw.y === undefined ? item.raw : item.raw.y)}`,
				},
			},
			findings: { marks: chart.marks },
		},
	};
}

// Bytes are counted in powers of two, and so are the steps of their axis.
function byteStep(most) {
	return 2 ** Math.ceil(Math.log2(Math.max(most, 4) / 5));
}

function lineConfig(chart) {
	const options = baseOptions(chart);
	const most = chart.most || largest(chart.lines.map((line) => largest(line.values)));
	const isBytes = chart.type === "bytes" || chart.type === "rate";

	options.scales = {
		x: axis(CLOCK_IS_NS ? "time since the trace began" : "ticks since the trace began",
			(value) => formatDuration(value), { type: "linear", min: 0, max: Math.max(SPAN, 1) }),
		// the first point may lie before the trace begins: it counts for the height all the same
		y: axis(null, null, { beginAtZero: true, suggestedMax: most, ticks: {
			color: colour("quiet"), font: { size: 11 }, maxTicksLimit: 8, precision: 0,
			callback: (value) => chart.format(value), stepSize: isBytes ? byteStep(most) : undefined,
		} }),
	};
	return {
		type: "line",
		data: {
			datasets: chart.lines.map((line) => ({
				label: line.name, borderColor: colour(line.colour), backgroundColor: faded(colour(line.colour)),
				fill: chart.lines.length === 1, stepped: "before", // a value holds until the next
				data: [...line.values, line.values[line.values.length - 1]].map((y, i) =>
					({ x: DATA.scale.start + i * DATA.scale.step, y })),
			})),
		},
		options, plugins: [markFindings],
	};
}

const FEW = 20; // up to here a scale from 0 tells more than a logarithmic one

function barConfig(chart) {
	const options = baseOptions(chart);
	const most = chart.most || largest(chart.lines.map((line) => largest(line.values)));
	// 1, 10, 100...; and 2 and 5 of each, where there are few of these
	const isMark = (value) => (most < 2000 ? /^[125]0*$/ : /^10*$/).test(String(value));

	options.scales = {
		x: axis(chart.xTitle, function (value) { return chart.tick(this.getLabelForValue(value)); },
			{ grid: { display: false } }),
		y: most <= FEW ? axis(chart.lines[0].name, (value) => formatCount(value), { beginAtZero: true, suggestedMax: most,
			ticks: { color: colour("quiet"), font: { size: 11 }, maxTicksLimit: 6, precision: 0 } }) :
			axis(`${chart.lines[0].name}, logarithmic`, null, { type: "logarithmic", min: 0.5, suggestedMax: chart.most, ticks: {
				color: colour("quiet"), font: { size: 11 }, autoSkip: false,
				callback: (value) => (isMark(value) ? formatCount(value) : null), // null: no line either
			} }),
	};
	return {
		type: "bar",
		data: {
			labels: chart.xs,
			datasets: chart.lines.map((line) => ({
				label: line.name, backgroundColor: colour(line.colour), barPercentage: 1, categoryPercentage: 0.92, maxBarThickness: 40,
				data: line.values,
			})),
		},
		options,
	};
}

function draw(chart) {
	if (chart.drawn)
		chart.drawn.destroy();
	chart.drawn = new Chart(chart.canvas, chart.bars ? barConfig(chart) : lineConfig(chart));
	charts.add(chart);
}

const sight = new IntersectionObserver((entries) => {
	for (const { isIntersecting, target } of entries) {
		if (isIntersecting) {
			sight.unobserve(target);
			draw(target.chart);
		}
	}
}, { rootMargin: "200px" });

function redrawCharts() {
	for (const chart of charts)
		draw(chart);
}

// Draw what is laid out but was not yet in sight: paper has no scrolling.
function drawAllCharts() {
	for (const canvas of document.querySelectorAll("canvas")) {
		if (canvas.chart && !canvas.chart.drawn && canvas.offsetParent) {
			sight.unobserve(canvas);
			draw(canvas.chart);
		}
	}
}

function numbersOf(chart) {
	const rows = chart.xs.map((x, i) => ({
		x: chart.label(i), i, ...Object.fromEntries(chart.lines.map((line, k) => ["v" + k, line.values[i]])),
	})).filter((row) => !chart.bars || chart.lines.some((line, k) => row["v" + k]));

	return table({
		caption: chart.title + ": numbers", rows,
		columns: [{ key: "x", title: chart.bars ? chart.xTitle : "from", sort: (row) => row.i },
			...chart.lines.map((line, k) => ({ key: "v" + k, title: line.name, type: chart.type }))],
	});
}

// A figure: title, canvas, and the numbers behind it.
function chartFigure(chart) {
	chart.format = FORMATS[chart.type];
	chart.canvas = el("canvas", { role: "img", "aria-label": `${chart.title}. ${chart.says}` });
	chart.canvas.chart = chart;
	sight.observe(chart.canvas);
	return el("figure", { class: "chart" },
		el("figcaption", {}, el("strong", {}, chart.title), el("span", {}, chart.says)),
		el("div", { class: "canvas" }, chart.canvas),
		lazyDetails({ class: "numbers" }, "Numbers", () => numbersOf(chart)));
}

// ---- what is drawn of a device

const DIRECTIONS = [
	["bytes_to_device", "to device", "blue"],
	["bytes_from_device", "from device", "orange"],
	["bytes_bidirectional", "both ways", "green"],
];

function pointTimes() {
	return Array.from({ length: DATA.scale.points }, (_, i) => DATA.scale.start + i * DATA.scale.step);
}

function timeChart(title, type, lines, says, marks) {
	const xs = pointTimes();

	return chartFigure({
		title, type, lines, says, marks, xs,
		label: (i) => formatTime(Math.max(xs[i], 0)) + (CLOCK_IS_NS ? " s" : ""),
	});
}

function perSecond(values) {
	return values.map((value) => (CLOCK_IS_NS ? (value * 1e9) / DATA.scale.step : value));
}

// Not Math.max(...): an argument each is too much for some engines.
function largest(values) {
	return values.reduce((most, value) => (value > most ? value : most), 0);
}

function stepsChart(title, xTitle, format, steps, noun) {
	const first = steps[0][0], last = steps[steps.length - 1][0];
	const counts = new Map(steps);
	const xs = Array.from({ length: last - first + 1 }, (_, i) => first + i);
	const busiest = steps.reduce((most, step) => (step[1] > most[1] ? step : most));
	const range = (step) => `${format(stepLow(step))} to ${format(stepLow(step + 1))}`;

	return chartFigure({
		title, xTitle, bars: true, type: "count", xs,
		lines: [{ name: noun, colour: "blue", values: xs.map((x) => counts.get(x) || 0) }],
		says: `Most often ${range(busiest[0])}`,
		label: (i) => range(xs[i]), tick: (step) => format(stepLow(step)),
	});
}

function deviceCharts(device, marks) {
	const series = DATA.series[device.device_id] || {}, figures = [];
	const peak = (values, format) => `Peak ${format(largest(values))}`;
	const lines = DIRECTIONS.filter(([key]) => series[key]).map(([key, name, line]) =>
		({ name, colour: line, values: perSecond(series[key]) }));
	const rates = [["maps", "maps", "blue"], ["unmaps", "unmaps", "orange"], ["failed", "failed", "purple"]]
		.filter(([key]) => series[key]).map(([key, name, line]) =>
			({ name, colour: line, values: perSecond(series[key]).map((value) => Math.round(value * 100) / 100) }));

	if (series.live_bytes)
		figures.push(timeChart("Live bytes", "bytes", [{ name: "live bytes", colour: "blue", values: series.live_bytes }],
			peak(series.live_bytes, formatBytes), marks));
	if (series.live)
		figures.push(timeChart("Live mappings", "count", [{ name: "live mappings", colour: "blue", values: series.live }],
			peak(series.live, formatCount), marks));
	if (lines.length)
		figures.push(timeChart("Mapped for transfer, by direction", "rate", lines,
			lines.map((line) => `${line.name} up to ${formatRate(largest(line.values))}`).join(", "), marks));
	if (rates.length)
		figures.push(timeChart("Calls" + (CLOCK_IS_NS ? " per second" : ""), "count", rates,
			rates.map((line) => `${line.name} up to ${formatCount(Math.round(largest(line.values)))}`).join(", "), marks));
	return [...figures, ...distributionCharts(device, MAPPED)];
}

// ---- distributions: of mappings, and of the time that calls take

const MAPPED = [
	["lifetime", "Lifetimes", "from map to unmap", formatDuration, "mappings"],
	["size", "Sizes", "bytes of a mapping", formatBytes, "mappings"],
	["entries", "Entries of scatter lists", "entries of a list", formatCount, "lists"],
	["segments", "Segments of scatter lists", "segments of a list", formatCount, "lists"],
	["reuse", "Reuse of addresses", "from unmap to the next map there", formatDuration, "addresses"],
];
const TAKEN = [
	["bounce_to_map", "Map: after the bounce", "from the copy into the bounce buffer to the end of the map", formatDuration, "maps"],
	["iommu_map_to_map", "Map: after the IOMMU", "from the IOMMU's entries to the end of the map", formatDuration, "maps"],
	["iommu_unmap_to_unmap", "Unmap: IOTLB flush", "from the IOMMU's entries to the end of the unmap", formatDuration, "unmaps"],
	["unmap_sg_to_iommu_unmap", "Unmap of a list: until the IOMMU", "from the begin of the unmap to the IOMMU's entries",
		formatDuration, "unmaps"],
];

function distributionCharts(device, kinds) {
	const mine = DATA.distributions[device.device_id] || {};

	return kinds.filter(([key]) => mine[key] && mine[key].length)
		.map(([key, title, xTitle, format, noun]) => stepsChart(title, xTitle, format, mine[key], noun));
}

// A line without axes: how the live bytes of a device went, over the time that the charts have.
function sparkline(values) {
	const width = 120, height = 24, most = largest(values) || 1;
	const place = (t) => (Math.min(Math.max(t / Math.max(SPAN, 1), 0), 1) * width).toFixed(1);
	const level = (value) => (height - 2 - (value / most) * (height - 4)).toFixed(1);
	const begin = (i) => DATA.scale.start + i * DATA.scale.step;
	const points = values.flatMap((value, i) =>
		[`${place(begin(i))},${level(value)}`, `${place(begin(i + 1))},${level(value)}`]);

	return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
		"aria-label": `live bytes over time, at most ${formatBytes(largest(values))}` },
	svg("polygon", { points: `${place(begin(0))},${height - 2} ${points.join(" ")} ${place(begin(values.length))},${height - 2}` }),
	svg("polyline", { points: points.join(" ") }));
}

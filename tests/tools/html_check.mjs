// SPDX-License-Identifier: GPL-2.0-only
// Opens reports in headless Chromium, over its debugging pipe: looks, clicks, types, and listens
// for complaints. No packages: the pipe speaks JSON with a NUL behind each message.
//
//   node html_check.mjs check PAGE NAME...   one line a case; NAMES must stand in the page as text
//   node html_check.mjs diff PAGE NAME...    the same of a page of dmascope diff
//   node html_check.mjs shot PAGE FILE.png WIDTH light|dark [HASH [TOP HEIGHT]]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const BINARY = process.env.CHROMIUM || "chromium";

class Browser {
	constructor() {
		this.profile = mkdtempSync(join(tmpdir(), "html_check."));
		this.process = spawn(BINARY, ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
			"--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${this.profile}`, "--remote-debugging-pipe",
			"about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
		this.waiting = new Map();
		this.complaints = [];
		this.next = 0;
		let rest = "";

		this.process.stdio[4].on("data", (chunk) => {
			const parts = (rest + chunk).split("\0");

			rest = parts.pop();
			for (const part of parts)
				this.receive(JSON.parse(part));
		});
	}

	receive(message) {
		if (message.id) {
			const { accept, reject } = this.waiting.get(message.id);

			this.waiting.delete(message.id);
			return message.error ? reject(new Error(message.error.message)) : accept(message.result);
		}
		if (message.method === "Runtime.exceptionThrown")
			this.complaints.push(message.params.exceptionDetails.exception?.description || "exception");
		else if (message.method === "Log.entryAdded" && message.params.entry.level !== "verbose")
			this.complaints.push(message.params.entry.text);
		else if (message.method === "Runtime.consoleAPICalled")
			this.complaints.push(message.params.args.map((each) => each.value).join(" "));
		else if (message.method === "Network.requestWillBeSent" && !/^(file|data|about):/.test(message.params.request.url))
			this.complaints.push("asks the network for " + message.params.request.url);
	}

	send(method, params = {}) {
		const id = ++this.next;

		return new Promise((accept, reject) => {
			this.waiting.set(id, { accept, reject });
			this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + "\0");
		});
	}

	async start() {
		const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });

		this.session = (await this.send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
		for (const domain of ["Page", "Runtime", "Log", "Network"])
			await this.send(domain + ".enable");
	}

	async size(width, height, scale = 1) {
		await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile: width < 600 });
	}

	async theme(value) {
		await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
	}

	async open(path, hash = "") {
		await this.send("Page.navigate", { url: pathToFileURL(resolve(path)) + hash });
		await this.until("document.readyState === 'complete' && document.title.length > 0");
		await pause(400);
	}

	async evaluate(expression) {
		const { result, exceptionDetails } = await this.send("Runtime.evaluate",
			{ expression, returnByValue: true, awaitPromise: true });

		if (exceptionDetails)
			throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
		return result.value;
	}

	async until(expression) {
		for (let i = 0; i < 100; i++) {
			if (await this.evaluate(expression))
				return;
			await pause(50);
		}
		throw new Error("never came true: " + expression);
	}

	async key(key, code) {
		for (const type of ["keyDown", "keyUp"])
			await this.send("Input.dispatchKeyEvent", { type, key, code: key, windowsVirtualKeyCode: code,
				text: type === "keyDown" && key === "Enter" ? "\r" : undefined });
	}

	async end() {
		this.session = undefined;
		const gone = new Promise((accept) => this.process.on("exit", accept));

		await Promise.race([this.send("Browser.close").catch(() => {}), pause(2000)]);
		await Promise.race([gone, pause(3000)]);
		this.process.kill("SIGKILL");
		rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
	}
}

function pause(ms) {
	return new Promise((accept) => setTimeout(accept, ms));
}

// ---- looking: each runs in the page, and returns "" or what is wrong

// Every canvas laid out holds more than one colour once it was in sight.
async function chartsDrawn() {
	const blank = [];

	for (const canvas of [...document.querySelectorAll("canvas")].filter((each) => each.offsetParent)) {
		canvas.scrollIntoView();
		for (let i = 0; i < 40 && !canvas.chart.drawn; i++)
			await new Promise((accept) => setTimeout(accept, 50));
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1);

		if (!data.some((value) => value))
			blank.push(canvas.getAttribute("aria-label"));
	}
	return blank.join("; ") || (document.querySelector("canvas") ? "" : "there is no chart");
}

function tablesSort() {
	const table = document.querySelector("#devices table"), header = [...table.querySelectorAll("thead th")]
		.find((each) => each.textContent === "maps");
	const column = [...header.parentNode.children].indexOf(header);
	const values = () => [...table.querySelectorAll("tbody tr")].map((row) =>
		Number(row.children[column].textContent.replace(/,/g, "")));
	const isSorted = (list, sign) => list.every((value, i) => !i || sign * (value - list[i - 1]) >= 0);

	header.querySelector("button").click(); // figures: the largest first
	if (header.getAttribute("aria-sort") !== "descending" || !isSorted(values(), -1))
		return "not descending: " + values();
	header.querySelector("button").click();
	return header.getAttribute("aria-sort") === "ascending" && isSorted(values(), 1) ? "" : "not ascending: " + values();
}

// On paper nothing scrolls: all columns have to fit between its margins.
function tablesFitPaper() {
	window.dispatchEvent(new Event("beforeprint"));
	const wide = [...document.querySelectorAll(".scroll")].filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
		.map((each) => `${each.getAttribute("aria-label")} takes ${each.scrollWidth} of ${each.clientWidth}`);

	window.dispatchEvent(new Event("afterprint"));
	const kept = [...document.querySelectorAll("table")].filter((each) => each.style.zoom).length;

	return wide.join("; ") || (kept ? `${kept} tables stay small after printing` : "");
}

// Green says that nothing is broken: only where that is known.
function verdictIsHonest() {
	const kind = document.querySelector(".verdict").classList;
	const { grave } = DATA.unjudged, isLossy = !/^None/.test(document.querySelector("#losses p").textContent);

	if (kind.contains("clean") && (grave || isLossy))
		return `green, though ${grave} rules about errors were not judged` + (isLossy ? " and events are missing" : "");
	return kind.contains("unsure") && !grave && !isLossy ? "in doubt without a reason" : "";
}

function tablesFilter() {
	const input = document.querySelector("#not-judged .filter input");
	const count = () => document.querySelectorAll("#not-judged tbody tr").length;
	const all = count();

	if (!input)
		return "no field to type in";
	input.value = "no such words";
	input.dispatchEvent(new Event("input"));
	if (count())
		return `${count()} rows fit no such words`;
	input.value = "";
	input.dispatchEvent(new Event("input"));
	return count() === all ? "" : `${count()} rows, not ${all}`;
}

async function detailsFold() {
	const details = document.querySelector("details.finding");

	if (!details)
		return "there is no finding";
	for (let each = details.parentElement.closest("details"); each; each = each.parentElement.closest("details"))
		each.open = true;
	if (details.querySelector(".stack, .calls"))
		return "made before it is asked for";
	details.querySelector("summary").click();
	await new Promise((accept) => setTimeout(accept, 100));
	return details.open && details.querySelector(".calls") ? "" : "did not unfold";
}

// A lane has bars inside of its plot; zooming makes the own one wider; it has its numbers.
async function lanesDrawn() {
	for (const details of document.querySelectorAll("details.device, details.infos"))
		details.open = true;
	await new Promise((accept) => setTimeout(accept, 300)); // they tell of it later
	for (const details of document.querySelectorAll("details.finding"))
		details.open = true;
	await new Promise((accept) => setTimeout(accept, 300));
	const lane = document.querySelector(".lane");

	if (!lane)
		return "there is no lane";
	const widths = () => [...lane.querySelectorAll(".plot rect.to, .plot rect.from, .plot rect.both, .plot rect.none")]
		.reduce((sum, bar) => sum + Number(bar.getAttribute("width")), 0);
	const before = widths();

	if (!before)
		return "no bars";
	if (![...lane.querySelectorAll(".plot rect")].every((bar) => Number.isFinite(Number(bar.getAttribute("x")))))
		return "bars at no place";
	lane.querySelector("button[aria-label='zoom in']").click();
	return widths() !== before ? "" : "zoom does nothing";
}

function chartsHaveNumbers() {
	for (const figure of document.querySelectorAll("figure")) {
		if (!figure.querySelector(":scope > details.numbers"))
			return "a figure has no numbers: " + figure.textContent;
	}
	const details = document.querySelector("figure.chart details.numbers");

	details.open = true;
	details.dispatchEvent(new Event("toggle"));
	return details.querySelectorAll("tbody tr").length ? "" : "no rows";
}

function isAccessible() {
	const wrong = [];

	for (const header of document.querySelectorAll("th")) {
		if (!header.getAttribute("scope"))
			wrong.push("th without scope");
	}
	for (const table of document.querySelectorAll("table")) {
		if (!table.querySelector("caption"))
			wrong.push("table without caption");
	}
	for (const image of document.querySelectorAll("canvas, svg[role=img]")) {
		if (!image.getAttribute("aria-label"))
			wrong.push("image without words");
	}
	for (const field of document.querySelectorAll("input, button")) {
		if (!(field.textContent || field.getAttribute("aria-label") || field.closest("label")?.textContent))
			wrong.push("control without words");
	}
	const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);

	if (new Set(ids).size !== ids.length)
		wrong.push("an id stands twice");
	return [...new Set(wrong)].join(", ");
}

// Contrast of all text seen against its background, as WCAG 2 counts it: 4.5 to 1.
function hasContrast() {
	const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
	const light = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
		.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
		.reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (element) => {
		for (let each = element; each; each = each.parentElement) {
			const rgb = parse(getComputedStyle(each).backgroundColor);

			if (rgb.length === 3 || rgb[3] > 0)
				return rgb;
		}
		return [255, 255, 255];
	};
	const poor = new Set();

	for (const element of document.querySelectorAll("main *, header *, footer")) {
		if (!element.offsetParent || ![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
			continue;
		const a = light(parse(getComputedStyle(element).color)), b = light(ground(element));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

		if (ratio < 4.5)
			poor.add(`${element.className || element.tagName} ${ratio.toFixed(1)}`);
	}
	return [...poor].join(", ");
}

// The button goes from the reader's setting to light, to dark, and back.
function themeSwitches() {
	const button = document.getElementById("theme"), seen = [];

	for (let i = 0; i < 3; i++) {
		button.click();
		seen.push(`${document.documentElement.dataset.theme || "auto"} ${getComputedStyle(document.body).backgroundColor}`);
	}
	const [light, dark] = seen;

	return light.startsWith("light") && dark.startsWith("dark") && seen[2].startsWith("auto") &&
		light.slice(5) !== dark.slice(4) ? "" : seen.join(", ");
}

function fitsWidth() {
	const width = document.documentElement.scrollWidth;

	return width <= window.innerWidth ? "" : `${width} pixels wide in a window of ${window.innerWidth}`;
}

// ---- the cases

let failed = false;

function verdict(name, wrong) {
	if (wrong)
		failed = true;
	console.log(wrong ? `not ok - ${name}: ${String(wrong).replace(/\s+/g, " ").slice(0, 300)}` : `ok - ${name}`);
}

async function look(browser, name, looking) {
	try {
		verdict(name, await browser.evaluate(`(${looking})()`));
	} catch (error) {
		verdict(name, error.message);
	}
}

async function namesAreText(browser, names) {
	for (const name of names) {
		const seen = await browser.evaluate(`document.getElementById("main").textContent.includes(${JSON.stringify(name)})`);

		verdict(`html in chromium: ${JSON.stringify(name)} is text`, seen ? "" : "it is not on the page");
	}
	verdict("html in chromium: no element came out of the data", await browser.evaluate(`
		document.querySelectorAll("main script, main img, main iframe, main b[onclick], main style").length ||
		(window.hacked ? "a script of the data ran" : "")`));
}

async function keyboard(browser) {
	await browser.evaluate(`document.querySelector("#devices thead button").focus()`);
	await browser.key("Enter", 13);
	const sorted = await browser.evaluate(`document.querySelector("#devices thead th").getAttribute("aria-sort")`);

	verdict("html in chromium: tables sort by keyboard", sorted === "ascending" ? "" : `aria-sort is ${sorted}`);
}

// Small lines begin and end where the charts of the same measure do: at their time in the whole trace.
function sparksShareAxis() {
	const end = Math.min(1, (DATA.scale.start + DATA.scale.points * DATA.scale.step) / SPAN);
	const begin = Math.max(0, DATA.scale.start / SPAN);

	for (const line of document.querySelectorAll("svg.spark polyline")) {
		const xs = line.getAttribute("points").split(" ").map((point) => Number(point.split(",")[0]));

		if (Math.abs(xs[0] - begin * 120) > 0.1 || Math.abs(xs[xs.length - 1] - end * 120) > 0.1)
			return `from ${xs[0]} to ${xs[xs.length - 1]}, not ${begin * 120} to ${end * 120}`;
	}
	return "";
}

async function check(browser, page, names) {
	const hasFindings = () => browser.evaluate("document.querySelectorAll('details.finding').length > 0");

	await browser.size(1280, 900);
	await browser.theme("light");
	await browser.open(page);
	await look(browser, "html in chromium: accessible names", isAccessible);
	await look(browser, "html in chromium: tables sort", tablesSort);
	await look(browser, "html in chromium: the verdict is honest", verdictIsHonest);
	await keyboard(browser);
	await look(browser, "html in chromium: tables filter", tablesFilter);
	await browser.evaluate("openAll(true)");
	await pause(200);
	await namesAreText(browser, names);
	if (await hasFindings()) {
		await look(browser, "html in chromium: findings unfold", detailsFold);
		await look(browser, "html in chromium: lanes are drawn and zoom", lanesDrawn);
	}
	await look(browser, "html in chromium: charts are drawn", chartsDrawn);
	await look(browser, "html in chromium: figures have their numbers", chartsHaveNumbers);
	await look(browser, "html in chromium: small lines have the charts' axis", sparksShareAxis);
	await look(browser, "html in chromium: accessible names, all open", isAccessible);
	await look(browser, "html in chromium: theme switches", themeSwitches);
	await look(browser, "html in chromium: contrast, light", hasContrast);
	await browser.theme("dark");
	await pause(200);
	await look(browser, "html in chromium: contrast, dark", hasContrast);
	await browser.size(390, 844);
	await pause(200);
	await look(browser, "html in chromium: fits a phone", fitsWidth);
	await browser.size(1280, 900);
	await look(browser, "html in chromium: tables fit on paper", tablesFitPaper);
	verdict("html in chromium: no complaint, no request", browser.complaints.join("; "));
}

// ---- the page of a comparison

// By a column of figures: in the order of their values, whatever their unit.
function metricsSort() {
	const units = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
	const headers = [...document.querySelectorAll("#metrics thead th")], input = document.querySelector("#metrics .filter input");
	const header = headers.find((each) => each.textContent === "head"), column = headers.indexOf(header);
	const rows = () => [...document.querySelectorAll("#metrics tbody tr")];
	const values = () => rows().map((row) => row.children[column].textContent.split(/\s/))
		.filter(([value]) => value !== "-").map(([value, unit]) => Number(value) * units[unit]);
	const isSorted = (list, sign) => list.length > 1 && list.every((value, i) => !i || sign * (value - list[i - 1]) >= 0);
	const width = (row) => Number(row.querySelectorAll("svg.bars rect")[1].getAttribute("width"));

	if (!rows().every((row) => width(row) >= 0 && width(row) <= 110))
		return "a bar does not fit";
	if (input) {
		input.value = "lifetime, 99th";
		input.dispatchEvent(new Event("input"));
	}
	header.querySelector("button").click();
	const up = values();

	header.querySelector("button").click();
	const down = values();

	if (input) {
		input.value = "";
		input.dispatchEvent(new Event("input"));
	}
	return isSorted(up, 1) && isSorted(down, -1) ? "" : `${up.join()} and ${down.join()}`;
}

async function findingsUnfold() {
	const details = document.querySelector("#findings details.finding");

	if (!details || details.querySelector(".calls"))
		return details ? "made before it is asked for" : "there is none";
	details.querySelector("summary").click();
	await new Promise((accept) => setTimeout(accept, 100));
	return details.querySelectorAll(".calls details").length === 2 ? "" : "not two stacks";
}

// Charts of a pair are drawn on the same axes, or the side that has none says why.
async function pairsShareAxes() {
	for (const pair of document.querySelectorAll(".kindcharts .sides")) {
		const canvases = [...pair.querySelectorAll("canvas")];

		for (const canvas of canvases) {
			canvas.scrollIntoView();
			for (let i = 0; i < 40 && !canvas.chart.drawn; i++)
				await new Promise((accept) => setTimeout(accept, 50));
		}
		const ranges = canvases.map(({ chart }) => ["x", "y"].map((name) =>
			`${chart.drawn.scales[name].min} to ${chart.drawn.scales[name].max}`).join(", "));

		if (new Set(ranges).size > 1)
			return ranges.join("; ");
		if (canvases.length < 2 && !pair.textContent.includes("This side"))
			return "one is missing, and nothing says why";
	}
	return "";
}

async function checkDiff(browser, page, names) {
	await browser.size(1280, 900);
	await browser.theme("light");
	await browser.open(page);
	const has = (selector) => browser.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length > 0`);

	verdict("html in chromium: says its verdict", await has("#verdict h1") ? "" : "there is none");
	await look(browser, "html in chromium: accessible names", isAccessible);
	if (await has("#findings details"))
		await look(browser, "html in chromium: findings unfold", findingsUnfold);
	if (await has("#metrics table"))
		await look(browser, "html in chromium: metrics sort", metricsSort);
	await browser.evaluate("openAll(true)");
	await pause(200);
	await namesAreText(browser, names);
	if (await has("canvas")) {
		await look(browser, "html in chromium: charts are drawn", chartsDrawn);
		await look(browser, "html in chromium: both sides have the same axes", pairsShareAxes);
	}
	await look(browser, "html in chromium: theme switches", themeSwitches);
	await look(browser, "html in chromium: contrast, light", hasContrast);
	await browser.theme("dark");
	await pause(200);
	await look(browser, "html in chromium: contrast, dark", hasContrast);
	await browser.size(390, 844);
	await pause(200);
	await look(browser, "html in chromium: fits a phone", fitsWidth);
	verdict("html in chromium: no complaint, no request", browser.complaints.join("; "));
}

async function shoot(browser, page, file, width, theme, hash = "", top = 0, cut = 0) {
	await browser.size(Number(width), width < 600 ? 844 : 900, width < 600 ? 2 : 1);
	await browser.theme(theme);
	await browser.open(page, hash);
	const height = Math.min(await browser.evaluate("document.documentElement.scrollHeight"), 9000);

	await browser.size(Number(width), height, width < 600 ? 2 : 1);
	await pause(800);
	const clip = { x: 0, y: Number(top), width: Number(width), height: Number(cut) || height - top, scale: 1 };
	const { data } = await browser.send("Page.captureScreenshot", { format: "png", clip });

	writeFileSync(file, Buffer.from(data, "base64"));
	console.log(browser.complaints.join("\n"));
}

const [, , what, page, ...rest] = process.argv;
const browser = new Browser();

try {
	await browser.start();
	if (what === "shot")
		await shoot(browser, page, ...rest);
	else if (what === "diff")
		await checkDiff(browser, page, rest);
	else
		await check(browser, page, rest);
} catch (error) {
	verdict("html in chromium", error.stack);
} finally {
	await browser.end();
}
process.exitCode = failed ? 1 : 0;

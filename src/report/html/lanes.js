// SPDX-License-Identifier: LGPL-2.1-only
// The lane of a finding: mappings of its device as bars from map to unmap, a row an address.
"use strict";

const ROW = 11, BAR = 7, AXIS = 22;
const WAYS = { T: "to device", F: "from device", B: "both ways", N: "none", U: "unknown" };
const WAY_CLASSES = { T: "to", F: "from", B: "both", N: "none", U: "none" };

function readItem([map, end, address, size, way, kind, flags]) {
	return {
		map, end, address, size, way, kind,
		isOwn: Boolean(flags & 1), isLive: Boolean(flags & 2), isCut: Boolean(flags & 4),
	};
}

// Round steps of an axis: 1, 2 or 5 times a power of ten.
function niceStep(span, count) {
	const raw = Math.max(span, 1) / count, power = 10 ** Math.floor(Math.log10(raw));

	return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
}

class Lane {
	constructor(finding) {
		const data = DATA.lanes[finding.id];

		this.finding = finding;
		this.items = data.mappings.map(readItem);
		this.syncs = data.syncs.map(readItem);
		this.own = this.items.find((item) => item.isOwn);
		this.addresses = [...new Set([...this.items, ...this.syncs].filter((item) => item.address !== null)
			.map((item) => item.address))].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
		this.rowOf = new Map(this.addresses.map((address, i) => [address, i]));
		this.full = this.fullSpan();
		this.home = this.homeSpan();
		this.span = this.home;
		this.element = this.make();
	}

	times(items) {
		return items.flatMap((item) => [item.map, item.end]).filter((t) => t !== null);
	}

	fullSpan() {
		const times = [...this.times(this.items), this.finding.t];

		return this.padded(Math.min(...times), Math.max(...times));
	}

	// The finding and its own mapping; if that is not known whole, the twenty ends nearest to it.
	homeSpan() {
		const t = this.finding.t;

		if (this.own && this.own.map !== null && this.own.end !== null)
			return this.padded(Math.min(t, ...this.times([this.own])), Math.max(t, ...this.times([this.own])));
		const near = this.times(this.items).sort((a, b) => Math.abs(a - t) - Math.abs(b - t)).slice(0, 20);

		const own = this.own ? this.times([this.own]) : [];

		return this.padded(Math.min(t, ...near, ...own), Math.max(t, ...near, ...own));
	}

	padded(from, to) {
		const pad = Math.max((to - from) * 0.12, 500);

		return [from - pad, to + pad];
	}

	make() {
		const button = (text, says, act) =>
			el("button", { type: "button", "aria-label": says, title: says, onclick: act }, text);

		this.says = `${plural(this.items.length, "mapping")} of the device around the finding` +
			(this.own ? ", its own among them" : "") +
			(this.syncs.length ? `, and ${plural(this.syncs.length, "sync")}` : "");
		this.plot = el("div", {
			class: "plot", tabindex: "0", role: "group",
			"aria-label": this.says + ". Arrow keys move, plus and minus zoom, 0 shows the finding.",
			onkeydown: (event) => this.key(event), onpointerdown: (event) => this.grab(event),
		});
		this.plot.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		this.plot.lane = this;
		new ResizeObserver(() => this.draw()).observe(this.plot);
		return el("figure", { class: "lane" },
			el("figcaption", {}, el("strong", {}, "Around the finding"), el("span", {}, this.says),
				el("span", { class: "buttons" },
					button("+", "zoom in", () => this.zoom(0.5)), button("\u2212", "zoom out", () => this.zoom(2)),
					button("\u2190", "earlier", () => this.move(-0.3)), button("\u2192", "later", () => this.move(0.3)),
					button("Finding", "show the finding and its mapping", () => this.show(this.home)),
					button("All", "show all these mappings", () => this.show(this.full)))),
			this.plot, this.makeKey(), lazyDetails({ class: "numbers" }, "Numbers", () => this.numbers()));
	}

	makeKey() {
		const ways = [...new Set(this.items.map((item) => item.way))];

		return el("p", { class: "key" }, ways.map((way) =>
			el("span", {}, svg("svg", { width: 18, height: 8, "aria-hidden": "true" },
				svg("rect", { class: WAY_CLASSES[way], width: 18, height: 7, y: 1, rx: 1 })), WAYS[way])),
		this.own ? el("span", {}, svg("svg", { width: 18, height: 8, "aria-hidden": "true" },
			svg("rect", { class: "own", width: 16, height: 6, x: 1, y: 1, rx: 1 })), "the finding's mapping") : null,
		el("span", { class: "hint" }, "Ctrl and wheel zoom, drag moves."));
	}

	numbers() {
		return table({
			caption: "Mappings around the finding", filter: true, noun: "mappings", rows: this.items,
			columns: [
				{ key: "address", title: "device address", render: (item) => el("code", {}, item.address || DASH),
					sort: (item) => (item.address || "").padStart(18) },
				{ key: "size", title: "size", type: "bytes" }, { key: "way", title: "direction", render: (item) => WAYS[item.way] },
				{ key: "kind", title: "kind" }, { key: "map", title: "mapped", type: "time" },
				{ key: "end", title: "ended", type: "time" },
				{ key: "isOwn", title: "note", render: (item) => [item.isOwn && "the finding's", item.isLive && "live at end",
					item.isCut && "ended without an unmap", item.map === null && "older than the trace"]
					.filter(Boolean).join(", ") },
			],
		});
	}

	// ---- moving about

	show(span) {
		const least = 100, widest = (this.full[1] - this.full[0]) * 4;
		const width = Math.min(Math.max(span[1] - span[0], least), widest), middle = (span[0] + span[1]) / 2;

		this.span = [middle - width / 2, middle + width / 2];
		this.draw();
	}

	zoom(factor, at) {
		const [from, to] = this.span, center = at === undefined ? (from + to) / 2 : at;

		this.show([center - (center - from) * factor, center + (to - center) * factor]);
	}

	move(share) {
		const step = (this.span[1] - this.span[0]) * share;

		this.show([this.span[0] + step, this.span[1] + step]);
	}

	key(event) {
		const acts = {
			"+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
			ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2), 0: () => this.show(this.home),
		};

		if (acts[event.key] && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			acts[event.key]();
		}
	}

	// A plain wheel scrolls the page, as everywhere.
	wheel(event) {
		if (!event.ctrlKey)
			return;
		event.preventDefault();
		this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.timeAt(event.clientX));
	}

	grab(event) {
		const from = event.clientX, span = this.span;
		const follow = (moved) => {
			const shift = ((from - moved.clientX) / this.width) * (span[1] - span[0]);

			this.show([span[0] + shift, span[1] + shift]);
		};
		const drop = () => {
			window.removeEventListener("pointermove", follow);
			window.removeEventListener("pointerup", drop);
			window.removeEventListener("pointercancel", drop);
		};

		if (event.button || event.pointerType === "touch")
			return;
		window.addEventListener("pointermove", follow);
		window.addEventListener("pointerup", drop);
		window.addEventListener("pointercancel", drop);
	}

	timeAt(clientX) {
		const x = clientX - this.plot.getBoundingClientRect().left - this.left;

		return this.span[0] + (x / this.width) * (this.span[1] - this.span[0]);
	}

	x(t) {
		return this.left + ((t - this.span[0]) / (this.span[1] - this.span[0])) * this.width;
	}

	// ---- drawing

	draw() {
		const total = this.plot.clientWidth;

		if (!total)
			return;
		this.left = total < 560 ? 84 : 132;
		this.width = Math.max(total - this.left - 8, 50);
		// only addresses with something in sight take a row
		const seen = (item) => this.x(item.map === null ? -Infinity : item.map) <= total &&
			this.x(item.end === null ? (item.isLive ? Infinity : item.map) : item.end) >= this.left;
		const items = this.items.filter((item) => item.address !== null && seen(item));
		const syncs = this.syncs.filter(seen);
		const used = this.addresses.filter((address) => [...items, ...syncs].some((item) => item.address === address));
		const rowOf = new Map(used.map((address, i) => [address, i]));
		const height = AXIS + Math.max(used.length, 1) * ROW + 6;
		const scroll = this.plot.scrollTop;

		this.plot.replaceChildren(svg("svg", { width: total, height, role: "img", "aria-label": this.says },
			this.drawAxis(height), used.map((address, i) => this.drawAddress(address, i, total)),
			items.map((item) => this.drawItem(item, rowOf.get(item.address))),
			syncs.map((item) => this.drawSync(item, rowOf.get(item.address))), this.drawMoment(height)));
		this.plot.scrollTop = scroll;
		if (!this.wasDrawn && this.own && rowOf.has(this.own.address))
			this.plot.scrollTop = AXIS + rowOf.get(this.own.address) * ROW - this.plot.clientHeight / 2;
		this.wasDrawn = true;
	}

	drawAxis(height) {
		const [from, to] = this.span, step = niceStep(to - from, Math.max(this.width / 110, 2)), marks = [];

		// told from the finding on: what matters is how long before or after it
		for (let t = Math.ceil((from - this.finding.t) / step) * step; t <= to - this.finding.t; t += step) {
			const x = this.x(this.finding.t + t);
			const text = Math.abs(t) < step / 2 ? "finding" : (t > 0 ? "+" : "") + formatDuration(Math.round(t));

			marks.push(svg("line", { class: "grid", x1: x, x2: x, y1: AXIS - 4, y2: height }),
				svg("text", { class: "tick", x, y: 12, "text-anchor": "middle" }, text));
		}
		return marks;
	}

	drawAddress(address, row, total) {
		const y = AXIS + row * ROW, isOwn = this.own && this.own.address === address;
		const text = this.left < 100 ? "\u2026" + address.slice(-8) : address;

		return [row % 2 ? null : svg("rect", { class: "stripe", x: 0, y, width: total, height: ROW }),
			svg("text", { class: isOwn ? "address own" : "address", x: this.left - 6, y: y + ROW - 2.5, "text-anchor": "end" }, text)];
	}

	drawItem(item, row) {
		const right = this.left + this.width;
		const from = Math.max(item.map === null ? this.left : this.x(item.map), this.left);
		const to = Math.min(item.end === null ? (item.isLive ? right : from + 2) : this.x(item.end), right);
		const says = `${item.address}, ${formatBytes(item.size)} ${WAYS[item.way]}, ${item.kind}: ` +
			(item.map === null ? "mapped before the trace" : `mapped ${formatTime(item.map)}`) + ", " +
			(item.end === null ? "live at the end" : `${item.isCut ? "over by" : "unmapped"} ${formatTime(item.end)}` +
				(item.map === null ? "" : ` (after ${formatDuration(item.end - item.map)})`));

		return svg("rect", {
			class: (WAY_CLASSES[item.way] || "none") + (item.isOwn ? " own" : "") +
				(item.map === null || item.end === null || item.isCut ? " open" : ""),
			x: from, y: AXIS + row * ROW + (ROW - BAR) / 2, width: Math.max(to - from, 1.5), height: BAR, rx: 1,
		}, svg("title", {}, says));
	}

	drawSync(item, row) {
		const x = this.x(item.map), y = AXIS + row * ROW + ROW / 2;

		return svg("path", { class: "sync", d: `M${x - 3} ${y + 4}L${x} ${y - 4}L${x + 3} ${y + 4}Z` },
			svg("title", {}, `${item.kind} ${item.address}, ${formatBytes(item.size)} at ${formatTime(item.map)}`));
	}

	drawMoment(height) {
		const x = this.x(this.finding.t);

		return x < this.left || x > this.left + this.width ? null :
			svg("line", { class: "moment", x1: x, x2: x, y1: AXIS - 6, y2: height });
	}
}

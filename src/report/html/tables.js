// SPDX-License-Identifier: LGPL-2.1-only
// Tables that sort by a click on a header or by the keyboard, and filter as one types.
"use strict";

const ROWS_AT_FIRST = 40;

const FORMATS = {
	text: (value) => (value === null || value === undefined ? DASH : String(value)),
	count: formatCount,
	bytes: formatBytes,
	rate: formatRate,
	duration: formatDuration,
	time: formatTime,
	perSecond: formatPerSecond,
	share: formatShare,
	permille: (value) => formatShare(value === null || value === undefined ? value : value / 1000),
};

function cellText(column, row) {
	return (FORMATS[column.type] || FORMATS.text)(row[column.key]);
}

function compareValues(a, b) {
	const isEmpty = (value) => value === null || value === undefined;

	if (isEmpty(a) || isEmpty(b))
		return isEmpty(a) - isEmpty(b);
	if (typeof a === "number" && typeof b === "number")
		return a - b;
	return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function isFigure(column) {
	return column.figure || (column.type in FORMATS && !["text", "time"].includes(column.type));
}

// One table: what it holds, how it is sorted and filtered now.
class Table {
	// options: caption, columns [{key, title, type, render, sort, wide, figure}], rows, total, noun,
	// filter: with a field to type in; test(row): a further filter; cards: one row a card on phones
	constructor(options) {
		Object.assign(this, options);
		this.order = this.rows.map((row, i) => i);
		this.limit = ROWS_AT_FIRST;
		this.words = "";
		this.texts = this.rows.map((row) =>
			this.columns.map((column) => cellText(column, row)).join(" ").toLowerCase());
		this.body = el("tbody");
		this.headers = this.columns.map((column, i) => this.makeHeader(column, i));
		this.status = el("p", { class: "more", role: "status" });
		this.element = el("div", { class: "table" + (this.cards ? " cards" : "") },
			this.filter && this.rows.length > 5 ? this.makeFilter() : null,
			el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": this.caption },
				el("table", {}, el("caption", {}, this.caption),
					el("thead", {}, el("tr", {}, this.headers)), this.body)),
			this.status);
		this.show();
	}

	makeHeader(column, i) {
		const isNumber = column.type && column.type !== "text";

		return el("th", { scope: "col", class: isNumber ? "number" : null, "aria-sort": "none" },
			el("button", { type: "button", onclick: () => this.sort(i) }, column.title));
	}

	makeFilter() {
		return el("label", { class: "filter" }, el("span", { class: "hidden" }, "Filter: " + this.caption),
			el("input", {
				type: "search", placeholder: "Filter " + (this.noun || "rows"), spellcheck: "false",
				oninput: (event) => {
					this.words = event.target.value.trim().toLowerCase();
					this.show();
				},
			}));
	}

	sort(index) {
		const header = this.headers[index], column = this.columns[index];
		const now = header.getAttribute("aria-sort");
		// figures from the largest on, names and times from the first
		const isUp = now === "none" ? !isFigure(column) : now === "descending";
		const value = column.sort || ((row) => row[column.key]);

		for (const other of this.headers)
			other.setAttribute("aria-sort", other !== header ? "none" : isUp ? "ascending" : "descending");
		this.order.sort((a, b) =>
			(isUp ? 1 : -1) * compareValues(value(this.rows[a]), value(this.rows[b])) || a - b);
		this.show();
	}

	makeRow(row) {
		return el("tr", { class: row.class }, this.columns.map((column, i) => {
			const isNumber = column.type && column.type !== "text";
			const content = column.render ? column.render(row) : cellText(column, row);

			return el(i ? "td" : "th", {
				scope: i ? null : "row", "data-label": column.title,
				class: [isNumber && "number", column.wide && "wide",
					!column.wide && cellText(column, row).length < 36 && "short"].filter(Boolean).join(" ") || null,
			}, content);
		}));
	}

	show() {
		const words = this.words.split(/\s+/);
		const fits = this.order.filter((i) => (!this.test || this.test(this.rows[i])) &&
			words.every((word) => this.texts[i].includes(word)));
		const total = this.total === undefined ? this.rows.length : this.total;

		this.body.replaceChildren(...fits.slice(0, this.limit).map((i) => this.makeRow(this.rows[i])));
		this.status.replaceChildren();
		if (fits.length < this.rows.length)
			this.status.append(`${formatCount(fits.length)} of ${formatCount(this.rows.length)} shown. `);
		if (fits.length > this.limit)
			this.status.append(el("button", { type: "button", onclick: () => {
				this.limit = Infinity;
				this.show();
			} }, `Show ${formatCount(fits.length - this.limit)} more`), " ");
		if (total > this.rows.length)
			this.status.append(`And ${formatCount(total - this.rows.length)} more in the database.`);
	}
}

function table(options) {
	return new Table(options).element;
}

// SPDX-License-Identifier: GPL-2.0-only
// Reads a trace of `report --trace-json` with the trace engine of Chrome's DevTools (npm package
// @paulirish/trace_engine), a reader that is not ours, and tells what that made of it.
//
//   node trace_engine_check.mjs ENGINE_DIR TRACE.json
//
// Prints "SLICES NANOSECONDS INSTANTS COUNTERS PROCESSES"; exits with 1 if the engine refuses it.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [engine, path] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(resolve(engine), "models/trace", file)));

globalThis.window ??= globalThis; // the engine is made for browsers
// of today: what Debian 12's node (18) lacks
URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);
URL.canParse ??= (text, base) => {
	try {
		return Boolean(new URL(text, base));
	} catch {
		return false;
	}
};
const { createMatchedSortedSyntheticEvents } = await load("helpers/Trace.js");
const { TraceModel } = await load("trace.js");
const { traceEvents } = JSON.parse(readFileSync(path, "utf8"));
const ofPhase = (...phases) => traceEvents.filter((event) => phases.includes(event.ph));

// all its handlers, as when a person opens the file in DevTools
const model = TraceModel.Model.createWithAllHandlers();

await model.parse(traceEvents, { isFreshRecording: false, isCPUProfile: false });
if (!model.parsedTrace())
	throw new Error("the engine made nothing of it");

const slices = createMatchedSortedSyntheticEvents(ofPhase("b", "e"));
const length = slices.reduce((sum, slice) => sum + BigInt(Math.round(slice.dur * 1000)), 0n);
const named = new Set(ofPhase("M").filter((event) => event.name === "process_name").map((event) => event.pid));

if (!traceEvents.every((event) => named.has(event.pid)))
	throw new Error("a process has no name");
console.log(slices.length, String(length), ofPhase("i").length, ofPhase("C").length, named.size);

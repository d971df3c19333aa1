// SPDX-License-Identifier: GPL-2.0-only
/*
 * ClickHouse of today behind HTTP on loopback: the library of npm's chdb, asked as its server would be.
 *
 * node clickhouse-today.js MODULE FOLDER: prints the port; data in FOLDER. One request after the other.
 * A setting in a URL is set, so that one there is not is refused; a GET may not write.
 */
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");
const { Session } = require(process.argv[2]);
const folder = process.argv[3];
const session = new Session(path.join(folder, "data"));
const body_file = path.join(folder, "body");
const of_http = new Set(["query", "database", "wait_end_of_query"]); /* not settings of a query */

/* Comments and blanks before the first word do not count. */
function first_word(sql) {
	return sql.replace(/^(\s+|--[^\n]*\n)+/, "").split(/\s/)[0].toUpperCase();
}

function answer(request, body) {
	const words = new URL(request.url, "http://localhost").searchParams;
	let sql = words.get("query");

	if (words.get("database"))
		session.query("USE " + words.get("database"));
	for (const [name, value] of words)
		if (!of_http.has(name))
			session.query(`SET ${name} = '${value}'`);
	if (sql === null)
		sql = body.toString();
	if (request.method === "GET" && first_word(sql) !== "SELECT")
		throw new Error("Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)");
	if (first_word(sql) === "INSERT") {
		fs.writeFileSync(body_file, body);
		sql = sql.replace(/ FORMAT (\w+)$/, ` FROM INFILE '${body_file}' FORMAT $1`);
	}
	return session.query(sql, "TabSeparated");
}

const server = http.createServer((request, response) => {
	const parts = [];

	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		try {
			response.end(answer(request, Buffer.concat(parts)));
		} catch (error) {
			response.statusCode = 500;
			response.end(error.message.replace(/^Query failed: /, "") + "\n");
		}
	});
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

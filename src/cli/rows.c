// SPDX-License-Identifier: GPL-2.0-only
/* Every command and every option, one row each. A new option is a new row and its man entry. */
#include <dmascope/record.h>
#include <dmascope/report.h>
#include <dmascope/rules.h>

#include "cli.h"

#define OPTIONS(rows) .options = (rows), .n_options = DMS_ARRAY_SIZE(rows)
/* letter, name, argument's name, type, place in the args struct, help; then what else it needs */
#define OPTION(letter, name, arg, kind, args_type, field, text, ...)                               \
	{                                                                                          \
		.short_name = (letter), .long_name = (name), .argument = (arg),                    \
		.type = DMS_OPT_##kind, .offset = offsetof(struct args_type, field),               \
		.help = (text), ##__VA_ARGS__                                                      \
	}
/* behind the help: what --help explains, and in fewer words; the others it names */
#define USUAL	    .is_usual = true
#define BRIEF(text) .is_usual = true, .brief = (text)

static const struct dms_word summary_formats[] = {
	{"text", DMS_FORMAT_TEXT},
	{"json", DMS_FORMAT_JSON},
	{"csv", DMS_FORMAT_CSV},
	{NULL, 0},
};

static const struct dms_word doctor_formats[] = {
	{"text", DMS_FORMAT_TEXT},
	{"json", DMS_FORMAT_JSON},
	{NULL, 0},
};

static const struct dms_word table_formats[] = {
	{"table", DMS_FORMAT_TEXT},
	{"csv", DMS_FORMAT_CSV},
	{"json", DMS_FORMAT_JSON},
	{NULL, 0},
};

static const struct dms_word file_versions[] = {{"6", 6}, {"7", 7}, {NULL, 0}};
static const struct dms_word compressions[] = {{"none", 0}, {"zstd", 1}, {NULL, 0}};

static const struct dms_word record_stacks[] = {
	{"maps", DMS_STACKS_MAPS},
	{"all", DMS_STACKS_ALL},
	{"none", DMS_STACKS_NONE},
	{NULL, 0},
};

/* What is only possible is never more than information: the others begin at likely. */
/* clang-format off */
#define FAILURES \
	{"info", DMS_FAIL_ON(DMS_SEVERITY_INFO, DMS_POSSIBLE)}, \
	{"info:possible", DMS_FAIL_ON(DMS_SEVERITY_INFO, DMS_POSSIBLE)}, \
	{"info:likely", DMS_FAIL_ON(DMS_SEVERITY_INFO, DMS_LIKELY)}, \
	{"info:certain", DMS_FAIL_ON(DMS_SEVERITY_INFO, DMS_CERTAIN)}, \
	{"warning", DMS_FAIL_ON(DMS_SEVERITY_WARNING, DMS_POSSIBLE)}, \
	{"warning:possible", DMS_FAIL_ON(DMS_SEVERITY_WARNING, DMS_POSSIBLE)}, \
	{"warning:likely", DMS_FAIL_ON(DMS_SEVERITY_WARNING, DMS_LIKELY)}, \
	{"warning:certain", DMS_FAIL_ON(DMS_SEVERITY_WARNING, DMS_CERTAIN)}, \
	{"error", DMS_FAIL_ON(DMS_SEVERITY_ERROR, DMS_POSSIBLE)}, \
	{"error:possible", DMS_FAIL_ON(DMS_SEVERITY_ERROR, DMS_POSSIBLE)}, \
	{"error:likely", DMS_FAIL_ON(DMS_SEVERITY_ERROR, DMS_LIKELY)}, \
	{"error:certain", DMS_FAIL_ON(DMS_SEVERITY_ERROR, DMS_CERTAIN)}
/* clang-format on */
static const struct dms_word failures[] = {FAILURES, {NULL, 0}};
static const struct dms_word gates[] = {{"never", DMS_FAIL_NEVER}, FAILURES, {NULL, 0}};

const struct dms_option dms_common_options[] = {
	OPTION('v', "verbose", NULL, COUNT, dms_common_args, verbose,
	       "say more on standard error; twice: say everything"),
	OPTION('q', "quiet", NULL, FLAG, dms_common_args, quiet,
	       "say nothing on standard error but errors"),
	OPTION(0, "max-memory", "SIZE", SIZE, dms_common_args, max_memory_bytes,
	       "take at most SIZE of memory, such as 512M or 2G, or give up"),
	OPTION('h', "help", NULL, VALUE, dms_common_args, help,
	       "print a help that fits a screen, and exit", .value = DMS_HELP_BRIEF),
	OPTION(0, "help-all", NULL, VALUE, dms_common_args, help,
	       "print what every option does, and exit", .value = DMS_HELP_ALL),
	OPTION(0, "version", NULL, FLAG, dms_common_args, version, "print the version and exit"),
};
const size_t dms_n_common_options = DMS_ARRAY_SIZE(dms_common_options);

static const struct dms_option analyze_options[] = {
	OPTION('o', "output", "DB", STRING, dms_analyze_args, output,
	       "write the run to the SQLite database DB", USUAL),
	OPTION(0, "format", "FORMAT", WORD, dms_analyze_args, format,
	       "print the summary as text, json or csv (default: text)", .words = summary_formats,
	       BRIEF("print the summary as text, json or csv")),
	OPTION(0, "events", NULL, FLAG, dms_analyze_args, keep_events,
	       "store every event and list segment as well; needs --output"),
	OPTION('W', "warn", "[no-]ID", LIST, dms_analyze_args, switches,
	       "judge by rule ID, or do not; may be repeated", USUAL),
	OPTION(0, "fail-on", "SEVERITY[:CONFIDENCE]", WORD, dms_analyze_args, fail_on,
	       "exit with 1 if there is a finding of info, warning or error or above, and at least "
	       "possible, likely or certain",
	       .words = failures, BRIEF("exit with 1 at findings of info, warning or error")),
	OPTION(0, "device", "NAME", LIST, dms_analyze_args, devices,
	       "tell only of the device of that name; may be repeated", USUAL),
	OPTION(0, "driver", "NAME", LIST, dms_analyze_args, drivers,
	       "tell only of devices of that driver; may be repeated"),
	OPTION(0, "rule", "ID", LIST, dms_analyze_args, rules,
	       "tell only what rule ID finds; may be repeated"),
	OPTION(0, "since", "TIME", STRING, dms_analyze_args, since,
	       "tell only what happened from that time on"),
	OPTION(0, "until", "TIME", STRING, dms_analyze_args, until,
	       "read only up to that time"),
	OPTION(0, "limit", "N", LIMIT, dms_analyze_args, limit,
	       "keep N findings of each rule, device and severity, and count the others "
	       "(default: 1000; 0: keep all)"),
	OPTION(0, "inventory", "FILE", STRING, dms_analyze_args, inventory,
	       "take drivers, buses and masks of devices from the device inventory FILE"),
	OPTION(0, "iomem", "FILE", STRING, dms_analyze_args, iomem,
	       "take the memory map from FILE, a copy of /proc/iomem"),
	OPTION(0, "dump-seed", "FILE", STRING, dms_analyze_args, dump_seed,
	       "take what was mapped when the trace began from FILE, a copy of dma-api/dump"),
	OPTION(0, "kernel-log", "FILE", STRING, dms_analyze_args, kernel_log,
	       "read IOMMU faults and DMA messages from FILE, output of dmesg or a console log"),
	OPTION(0, "kallsyms", "FILE", STRING, dms_analyze_args, kallsyms,
	       "name functions by FILE, a copy of /proc/kallsyms or a System.map, not by the trace"),
	OPTION(0, "formats", "DIR", STRING, dms_analyze_args, formats_dir,
	       "take event formats that the trace lacks from DIR, a copy of events of tracefs"),
	OPTION(0, "salvage", NULL, FLAG, dms_analyze_args, salvage,
	       "analyze what is left of a truncated or damaged file, and say what is missing",
	       BRIEF("analyze what is left of a damaged file")),
	OPTION(0, "progress", NULL, VALUE, dms_analyze_args, progress,
	       "show progress even if standard error is not a terminal", .value = DMS_PROGRESS_ON),
	OPTION(0, "no-progress", NULL, VALUE, dms_analyze_args, progress, "never show progress",
	       .value = DMS_PROGRESS_OFF),
};

static const struct dms_option report_options[] = {
	OPTION(0, "html", "FILE", STRING, dms_report_args, html,
	       "write one self-contained HTML page to FILE (-: standard output) instead of text",
	       BRIEF("write one HTML page to FILE (-: standard output)")),
	OPTION(0, "csv", "DIR", STRING, dms_report_args, csv,
	       "write every table as a CSV file into the folder DIR, and README of their columns",
	       BRIEF("write every table as a CSV file into DIR")),
	OPTION(0, "json", "FILE", STRING, dms_report_args, json,
	       "write the whole report as JSON to FILE (-: standard output)",
	       BRIEF("write the whole report as JSON to FILE")),
	OPTION(0, "trace-json", "FILE", STRING, dms_report_args, trace_json,
	       "write mappings, findings and live bytes as trace events, for Perfetto, to FILE",
	       BRIEF("write trace events, for Perfetto, to FILE")),
	OPTION(0, "folded-bytes", "FILE", STRING, dms_report_args, folded_bytes,
	       "write the stacks that map with the bytes they map, for flame graphs, to FILE",
	       BRIEF("write stacks and bytes, for flame graphs, to FILE")),
	OPTION(0, "folded-count", "FILE", STRING, dms_report_args, folded_count,
	       "write the stacks that map and how often they do, for flame graphs, to FILE"),
	OPTION(0, "openmetrics", "FILE", STRING, dms_report_args, openmetrics,
	       "write the counters of the devices as OpenMetrics text to FILE"),
	OPTION(0, "device", "NAME", LIST, dms_report_args, devices,
	       "tell only of the device of that name; may be repeated", USUAL),
	OPTION(0, "driver", "NAME", LIST, dms_report_args, drivers,
	       "tell only of devices of that driver; may be repeated", USUAL),
	OPTION(0, "since", "TIME", STRING, dms_report_args, since,
	       "tell only what happened from that time on", USUAL),
	OPTION(0, "until", "TIME", STRING, dms_report_args, until,
	       "tell only what happened up to that time"),
	OPTION(0, "top", "N", LIMIT, dms_report_args, top,
	       "show at most N rows of each list (default: all in text, 100 in HTML)",
	       BRIEF("show at most N rows of each list")),
	OPTION(0, "sort", "COLUMN[:ORDER]", STRING, dms_report_args, sort,
	       "sort the devices by COLUMN, ORDER asc or desc (default: largest first, names from a)",
	       BRIEF("sort the devices by COLUMN, ORDER asc or desc")),
	OPTION(0, "columns", "LIST", STRING, dms_report_args, columns,
	       "tell COLUMN,COLUMN... of each device; help lists them all",
	       BRIEF("tell COLUMN,COLUMN... of each device, or help")),
	OPTION(0, "fail-on", "SEVERITY[:CONFIDENCE]", WORD, dms_report_args, fail_on,
	       "exit with 1 if there is a finding of info, warning or error or above, and at least "
	       "possible, likely or certain, in what is told",
	       .words = failures, BRIEF("exit with 1 at findings of info, warning or error")),
};

static const struct dms_option query_options[] = {
	OPTION(0, "list", NULL, FLAG, dms_query_args, list,
	       "list the queries that come with dmascope and exit"),
	OPTION(0, "name", "QUERY", STRING, dms_query_args, name,
	       "run the query of that name instead of SQL"),
	OPTION(0, "format", "FORMAT", WORD, dms_query_args, format,
	       "print rows as table, csv or json (default: table)", .words = table_formats),
};

#define SERVER_OPTIONS(args_type)                                                                  \
	OPTION(0, "credentials", "FILE", STRING, args_type, server.credentials,                    \
	       "read user and password from FILE, which nobody else may read"),                    \
		OPTION(0, "cacert", "FILE", STRING, args_type, server.cacert,                      \
		       "trust the certificates of FILE, not the system's"),                        \
		OPTION(0, "allow-plain", NULL, FLAG, args_type, server.allow_plain,                \
		       "send a password over plain http to another machine")

static const struct dms_option push_options[] = {
	OPTION(0, "host", "NAME", STRING, dms_push_args, host,
	       "the machine that was traced (default: as the trace tells)",
	       BRIEF("the machine (default: as the trace tells)")),
	OPTION(0, "build", "NAME", STRING, dms_push_args, build,
	       "what was tested (default: the kernel's release)", USUAL),
	OPTION(0, "taken", "TIME", STRING, dms_push_args, taken,
	       "when it was recorded (default: the time of RUN.DB's file)"),
	OPTION(0, "without", "TABLE", LIST, dms_push_args, without,
	       "do not push TABLE, such as mappings; may be repeated",
	       BRIEF("do not push TABLE, such as mappings")),
	OPTION(0, "spool", "DIR", STRING, dms_push_args, spool,
	       "keep the runs in DIR until they have arrived; send what waits there",
	       BRIEF("keep the runs in DIR until they have arrived")),
	OPTION(0, "retry", "SECONDS", LIMIT, dms_push_args, retry_s,
	       "try so long if the server cannot take it; 0: for ever (default: 60)",
	       BRIEF("try so long; 0: for ever (default: 60)")),
	OPTION('n', "dry-run", NULL, FLAG, dms_push_args, is_dry,
	       "send nothing, print what would be sent", USUAL),
	SERVER_OPTIONS(dms_push_args),
};
static const struct dms_option fleet_options[] = {
	OPTION(0, "list", NULL, FLAG, dms_fleet_args, list, "list the queries and exit", USUAL),
	OPTION(0, "since", "TIME", STRING, dms_fleet_args, since,
	       "only runs recorded at TIME or later: YYYY-MM-DD [HH:MM:SS], UTC",
	       BRIEF("only runs from TIME on: YYYY-MM-DD [HH:MM:SS], UTC")),
	OPTION(0, "until", "TIME", STRING, dms_fleet_args, until,
	       "only runs recorded at TIME or before", BRIEF("only runs up to TIME")),
	OPTION(0, "host", "NAME", STRING, dms_fleet_args, host, "only runs of the machine NAME",
	       USUAL),
	OPTION(0, "driver", "NAME", STRING, dms_fleet_args, driver,
	       "only devices of the driver NAME", USUAL),
	OPTION(0, "build", "NAME", STRING, dms_fleet_args, build, "only runs of the build NAME",
	       USUAL),
	OPTION(0, "base", "NAME", STRING, dms_fleet_args, base,
	       "the build that diff compares with", USUAL),
	OPTION(0, "head", "NAME", STRING, dms_fleet_args, head, "the build that diff judges",
	       USUAL),
	OPTION(0, "format", "FORMAT", WORD, dms_fleet_args, format,
	       "print rows as table, csv or json (default: table)", .words = table_formats,
	       BRIEF("print rows as table, csv or json")),
	OPTION(0, "print", NULL, FLAG, dms_fleet_args, print,
	       "print the SQL instead of sending it"),
	OPTION(0, "init", NULL, FLAG, dms_fleet_args, init,
	       "make the database and its tables, as far as they are not there",
	       BRIEF("make the database and its tables")),
	OPTION(0, "cluster", NULL, FLAG, dms_fleet_args, cluster,
	       "with --init: sharded and replicated, on the cluster dmascope"),
	SERVER_OPTIONS(dms_fleet_args),
};
static const struct dms_option live_options[] = {
	OPTION(0, "at", "TIME", STRING, dms_live_args, at,
	       "the time: seconds as trace-cmd prints them, nanoseconds with ns behind them, "
	       "start or end"),
	OPTION(0, "device", "NAME", STRING, dms_live_args, device,
	       "only mappings of the device of that name"),
};

static const struct dms_option doctor_options[] = {
	OPTION(0, "format", "FORMAT", WORD, dms_doctor_args, format,
	       "print as text or json (default: text)", .words = doctor_formats),
	OPTION(0, "kallsyms", "FILE", STRING, dms_doctor_args, kallsyms,
	       "name functions by FILE, a copy of /proc/kallsyms or a System.map, not by the trace"),
	OPTION(0, "formats", "DIR", STRING, dms_doctor_args, formats_dir,
	       "take event formats that the trace lacks from DIR, a copy of events of tracefs"),
};

static const struct dms_option record_options[] = {
	OPTION('o', "output", "FILE", STRING, dms_record_args, output,
	       "write the recording to FILE (default: trace.dat)", USUAL),
	OPTION(0, "device", "NAME", LIST, dms_record_args, devices,
	       "record only the device of that name, * and ? are wildcards; may be repeated",
	       BRIEF("record only the device of that name")),
	OPTION(0, "driver", "NAME", LIST, dms_record_args, drivers,
	       "record only devices that are bound to that driver now; may be repeated",
	       BRIEF("record only devices of that driver")),
	OPTION('e', "event", "SYSTEM[:EVENT]", LIST, dms_record_args, events,
	       "record these events as well; may be repeated",
	       BRIEF("record these events as well")),
	OPTION(0, "duration", "SECONDS", U64, dms_record_args, duration_s,
	       "stop after that time", USUAL),
	OPTION(0, "stacks", "WHICH", WORD, dms_record_args, stacks,
	       "record call stacks of maps (and their ends), all events or none (default: maps)",
	       .words = record_stacks, BRIEF("record call stacks of maps, all events or none")),
	OPTION(0, "no-probes", NULL, FLAG, dms_record_args, has_no_probes,
	       "set no probes: record what has tracepoints only"),
	OPTION(0, "clock", "CLOCK", STRING, dms_record_args, clock,
	       "take times from that clock of tracefs (default: mono)"),
	OPTION('b', "buffer-size", "KIB", U64, dms_record_args, buffer_kb,
	       "give each CPU a buffer of KIB (default: 32768, less where memory is short)",
	       BRIEF("give each CPU a buffer of KIB (default: 32768)")),
	OPTION(0, "subbuf-size", "KIB", U64, dms_record_args, subbuf_kb,
	       "give the buffers sub-buffers of KIB (default: those of the kernel, a page)"),
	OPTION(0, "dry-run", NULL, FLAG, dms_record_args, is_dry,
	       "change nothing: print lines for a shell that do the same",
	       BRIEF("print lines for a shell that do the same")),
};

static const struct dms_option convert_options[] = {
	OPTION('o', "output", "OUT", STRING, dms_convert_args, output,
	       "write the trace.dat OUT, which is replaced if it exists; needed",
	       BRIEF("write the trace.dat OUT; needed")),
	OPTION(0, "file-version", "VERSION", WORD, dms_convert_args, file_version,
	       "write version 6 or 7 (default: 6, or 7 if a record does not fit a page)",
	       .words = file_versions, BRIEF("write version 6 or 7 (default: 6 if it can be)")),
	OPTION(0, "compression", "METHOD", WORD, dms_convert_args, is_zstd,
	       "compress by METHOD: none or zstd, which needs version 7 (default: none)",
	       .words = compressions, BRIEF("compress by none or zstd (default: none)")),
	OPTION(0, "kallsyms", "FILE", STRING, dms_convert_args, kallsyms,
	       "name functions by FILE, a copy of /proc/kallsyms or a System.map, not by the trace"),
	OPTION(0, "formats", "DIR", STRING, dms_convert_args, formats_dir,
	       "take event formats that the trace lacks from DIR, a copy of events of tracefs"),
	OPTION(0, "salvage", NULL, FLAG, dms_convert_args, salvage,
	       "convert what is left of a truncated or damaged file, and say what is missing",
	       BRIEF("convert what is left of a damaged file")),
};

/* What diff and check have in common; @args_type has them as its member judging. */
#define JUDGING_OPTIONS(args_type)                                                                 \
	OPTION(0, "format", "FORMAT[=FILE]", LIST, args_type, judging.formats,                     \
	       "tell it as text, markdown, json, junit, sarif, github, gitlab, tap or html "       \
	       "(default: text), into FILE; may be repeated",                                      \
	       BRIEF("text, json, junit, sarif, markdown, html and others")),                      \
	OPTION(0, "config", "FILE", LIST, args_type, judging.configs,                              \
	       "read thresholds, kinds of devices and suppressions from the YAML file FILE; may "  \
	       "be repeated",                                                                      \
	       BRIEF("thresholds, suppressions and the like, as YAML")),                           \
	OPTION(0, "suppressions", "FILE", LIST, args_type, judging.configs,                        \
	       "the same, for a file that holds suppressions"),                                    \
	OPTION(0, "write-suppressions", "FILE", STRING, args_type, judging.write_suppressions,     \
	       "write a suppression for each finding that fails to FILE, to be edited"),           \
	OPTION(0, "threshold", "METRIC=LIMITS", LIST, args_type, judging.thresholds,               \
	       "let METRIC count from RELATIVE[,ABSOLUTE[,SAMPLES]] on, or never (off); may be "   \
	       "repeated"),                                                                        \
	OPTION(0, "kind", "GLOB=KIND", LIST, args_type, judging.kinds,                             \
	       "take devices whose name fits GLOB for the same KIND; may be repeated"),            \
	OPTION(0, "fail-on", "SEVERITY[:CONFIDENCE]", WORD, args_type, judging.fail_on,            \
	       "fail on new or worse findings of info, warning or error or above, and at least "   \
	       "possible, likely or certain; or never (default: error)",                           \
	       .words = gates, BRIEF("fail on new findings from there on (default: error)")),      \
	OPTION(0, "no-metrics", NULL, FLAG, args_type, judging.no_metrics,                         \
	       "tell of worse metrics, but do not fail on them"),                                  \
	OPTION(0, "allow-lossy", NULL, FLAG, args_type, judging.allow_lossy,                       \
	       "do not fail on what could not be judged"),                                         \
	OPTION(0, "alpha", "P", STRING, args_type, judging.alpha,                                  \
	       "take differences between several runs for real below this p (default: 0.05)"),     \
	OPTION(0, "today", "DATE", STRING, args_type, judging.today,                               \
	       "let suppressions expire as if it were that day, YYYY-MM-DD (default: the clock's)")

static const struct dms_option diff_options[] = {
	OPTION(0, "base", "RUN", LIST, dms_diff_args, base,
	       "another run to compare with; may be repeated", USUAL),
	OPTION(0, "head", "RUN", LIST, dms_diff_args, head,
	       "another run to judge; may be repeated", USUAL),
	JUDGING_OPTIONS(dms_diff_args),
};

static const struct dms_option check_options[] = {
	OPTION(0, "baseline", "RUN", LIST, dms_check_args, baselines,
	       "compare with RUN, a baseline or a database; may be repeated (default: everything "
	       "is new)", BRIEF("compare with RUN, a baseline or a database")),
	OPTION('o', "output", "DB", STRING, dms_check_args, output,
	       "keep the run as the SQLite database DB", USUAL),
	JUDGING_OPTIONS(dms_check_args),
	OPTION('W', "warn", "[no-]ID", LIST, dms_check_args, switches,
	       "judge by rule ID, or do not; may be repeated", USUAL),
	OPTION(0, "device", "NAME", LIST, dms_check_args, devices,
	       "judge only the device of that name; may be repeated"),
	OPTION(0, "driver", "NAME", LIST, dms_check_args, drivers,
	       "judge only devices of that driver; may be repeated"),
	OPTION(0, "inventory", "FILE", STRING, dms_check_args, inventory,
	       "take drivers, buses and masks of devices from the device inventory FILE"),
	OPTION(0, "iomem", "FILE", STRING, dms_check_args, iomem,
	       "take the memory map from FILE, a copy of /proc/iomem"),
	OPTION(0, "dump-seed", "FILE", STRING, dms_check_args, dump_seed,
	       "take what was mapped when the trace began from FILE, a copy of dma-api/dump"),
	OPTION(0, "kernel-log", "FILE", STRING, dms_check_args, kernel_log,
	       "read IOMMU faults and DMA messages from FILE, output of dmesg or a console log"),
	OPTION(0, "kallsyms", "FILE", STRING, dms_check_args, kallsyms,
	       "name functions by FILE, a copy of /proc/kallsyms or a System.map, not by the trace"),
	OPTION(0, "formats", "DIR", STRING, dms_check_args, formats_dir,
	       "take event formats that the trace lacks from DIR, a copy of events of tracefs"),
	OPTION(0, "salvage", NULL, FLAG, dms_check_args, salvage,
	       "judge what is left of a truncated or damaged file, and say what is missing"),
	OPTION(0, "progress", NULL, VALUE, dms_check_args, progress,
	       "show progress even if standard error is not a terminal", .value = DMS_PROGRESS_ON),
	OPTION(0, "no-progress", NULL, VALUE, dms_check_args, progress, "never show progress",
	       .value = DMS_PROGRESS_OFF),
};

static const struct dms_option baseline_options[] = {
	OPTION('o', "output", "FILE", STRING, dms_baseline_args, output,
	       "write to FILE instead of standard output"),
	OPTION(0, "config", "FILE", LIST, dms_baseline_args, configs,
	       "take kinds of devices from FILE; may be repeated"),
	OPTION(0, "kind", "GLOB=KIND", LIST, dms_baseline_args, kinds,
	       "devices whose name fits GLOB are of that kind; may be repeated"),
};

const struct dms_command dms_commands[] = {
	{
		.name = "analyze",
		.operands = "FILE...",
		.summary = "read traces, rebuild the life of every mapping, print a summary",
		.run = dms_cmd_analyze,
		OPTIONS(analyze_options),
		.args_bytes = sizeof(struct dms_analyze_args),
		.min_operands = 1,
		.max_operands = SIZE_MAX,
		.epilogue = "FILEs are of one machine, and known by their content: traces (several are "
			    "merged in time order), and what goes beside them: a kernel log, a device "
			    "inventory, copies of /proc/iomem, dma-api/dump and kallsyms. They may be "
			    "compressed (gzip, zstd, xz).\n- is standard input.",
	},
	{
		.name = "report",
		.operands = "RUN.DB",
		.summary = "tell of a run from its database: text, HTML, CSV, JSON, metrics",
		.run = dms_cmd_report,
		OPTIONS(report_options),
		.args_bytes = sizeof(struct dms_report_args),
		.max_operands = 1, /* none for --columns help: the command checks it */
	},
	{
		.name = "diff",
		.operands = "[BASE HEAD]",
		.summary = "compare runs: what is new, worse, better, fixed or not judged",
		.run = dms_cmd_diff,
		OPTIONS(diff_options),
		.args_bytes = sizeof(struct dms_diff_args),
		.max_operands = 2,
		.epilogue = "BASE and HEAD, and what --base and --head add, are databases of analyze or "
			    "baselines.\nExit codes: 0 passed, 1 failed, 2 usage, 3 input or too lossy to "
			    "judge, 4 own trouble.",
	},
	{
		.name = "baseline",
		.operands = "RUN.DB",
		.summary = "write a run as a small file to compare later ones with",
		.run = dms_cmd_baseline,
		.options = baseline_options,
		.n_options = DMS_ARRAY_SIZE(baseline_options),
		.args_bytes = sizeof(struct dms_baseline_args),
		.min_operands = 1,
		.max_operands = 1,
	},
	{
		.name = "check",
		.operands = "FILE...",
		.summary = "analyze traces and judge them against baselines, for CI",
		.run = dms_cmd_check,
		OPTIONS(check_options),
		.args_bytes = sizeof(struct dms_check_args),
		.min_operands = 1,
		.max_operands = SIZE_MAX,
		.epilogue = "FILEs are those of analyze.\nExit codes: 0 passed, 1 failed, 2 usage, 3 input "
			    "or too lossy to judge, 4 own trouble.",
	},
	{
		.name = "query",
		.operands = "[RUN.DB] [SQL]",
		.summary = "run SQL on the database of a run, read-only",
		.run = dms_cmd_query,
		OPTIONS(query_options),
		.args_bytes = sizeof(struct dms_query_args),
		.max_operands = 2,
		.epilogue = "Give RUN.DB and either SQL or --name; --list takes neither.",
	},
	{
		.name = "live",
		.operands = "RUN.DB",
		.summary = "print the mappings that were live at a time, as dma-api/dump would",
		.run = dms_cmd_live,
		OPTIONS(live_options),
		.args_bytes = sizeof(struct dms_live_args),
		.min_operands = 1,
		.max_operands = 1,
	},
	{
		.name = "rules",
		.operands = "[ID]",
		.summary = "list the rules, or explain one: cause, cure, limits, source",
		.run = dms_cmd_rules,
		.max_operands = 1,
	},
	{
		.name = "doctor",
		.operands = "[TRACE]",
		.summary = "tell what a trace, or this kernel, cannot show, and what helps",
		.run = dms_cmd_doctor,
		OPTIONS(doctor_options),
		.args_bytes = sizeof(struct dms_doctor_args),
		.max_operands = 1,
	},
	{
		.name = "record",
		.operands = "[-- COMMAND...]",
		.summary = "record what DMA events tell, until COMMAND ends or Ctrl-C, as root",
		.run = dms_cmd_record,
		OPTIONS(record_options),
		.args_bytes = sizeof(struct dms_record_args),
		.max_operands = SIZE_MAX,
	},
	{
		.name = "convert",
		.operands = "TRACE...",
		.summary = "write traces as one trace.dat for trace-cmd and KernelShark",
		.run = dms_cmd_convert,
		OPTIONS(convert_options),
		.args_bytes = sizeof(struct dms_convert_args),
		.min_operands = 1,
		.max_operands = SIZE_MAX,
		.epilogue = "Several TRACEs are files of one machine; the buffers of all but the "
			    "first become instances called after their files.",
	},
	{
		.name = "push",
		.operands = "[RUN.DB...] [URL]",
		.summary = "put runs into a fleet's ClickHouse; twice changes nothing",
		.run = dms_cmd_push,
		OPTIONS(push_options),
		.args_bytes = sizeof(struct dms_push_args),
		.max_operands = SIZE_MAX,
		.epilogue = "URL is http[s]://HOST[:PORT][/DATABASE]. User and password:\n"
			    "DMASCOPE_FLEET_USER, DMASCOPE_FLEET_PASSWORD, or --credentials.",
	},
	{
		.name = "fleet",
		.operands = "[QUERY] [URL]",
		.summary = "ask a question about all runs of a fleet",
		.run = dms_cmd_fleet,
		OPTIONS(fleet_options),
		.args_bytes = sizeof(struct dms_fleet_args),
		.max_operands = 2,
		.epilogue = "URL, user and password: as for push. Queries: see --list.",
	},
	{
		.name = "completion",
		.operands = "SHELL",
		.summary = "print the completion script for a shell: bash, zsh or fish",
		.run = dms_cmd_completion,
		.min_operands = 1,
		.max_operands = 1,
	},
};
const size_t dms_n_commands = DMS_ARRAY_SIZE(dms_commands);

/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands and their options as rows: parsing, --help, completion and checks are made of them. */
#ifndef DMASCOPE_CLI_H
#define DMASCOPE_CLI_H

#include <stdio.h>

#include <dmascope/base.h>

/** What the program says when it ends (DESIGN.md section 6). */
enum dms_exit {
	DMS_EXIT_CLEAN = 0,
	DMS_EXIT_FINDINGS = 1,
	DMS_EXIT_USAGE = DMS_ERROR_USAGE,
	DMS_EXIT_INPUT = DMS_ERROR_INPUT,
	DMS_EXIT_INTERNAL = DMS_ERROR_INTERNAL,
};

/** A word an option takes, and what it stands for. Tables end with a NULL word. */
struct dms_word {
	const char *word;
	int value;
};

/** What an option stores at its offset in the command's args struct. */
enum dms_option_type {
	DMS_OPT_FLAG,	/* bool: set to true */
	DMS_OPT_VALUE,	/* int: set to the row's value; takes no argument */
	DMS_OPT_COUNT,	/* int: one more each time */
	DMS_OPT_STRING, /* const char *: the argument, borrowed from argv; the last one stands */
	DMS_OPT_U64,	/* uint64_t: decimal, or hexadecimal after 0x */
	DMS_OPT_LIMIT,	/* uint64_t: the same; 0 becomes UINT64_MAX, no limit */
	DMS_OPT_SIZE,	/* uint64_t: bytes, or with K, M, G, T behind the number */
	DMS_OPT_WORD,	/* int: the value of the word given, one of the row's words */
	DMS_OPT_LIST,	/* struct dms_strings: every argument given */
};


struct dms_option {
	char short_name;	      /* 0: none */
	const char *long_name;	      /* without the dashes */
	const char *argument;	      /* its name in the help, NULL: takes none */
	enum dms_option_type type;
	size_t offset;		      /* offsetof() in the args struct */
	const char *help;	      /* lower case, no full stop */
	const struct dms_word *words; /* DMS_OPT_WORD */
	int value;		      /* DMS_OPT_VALUE */
	bool is_usual;		      /* explained by --help, not by --help-all alone */
	const char *brief;	      /* what --help says of it; NULL: the same */
};

enum dms_help { DMS_HELP_NONE, DMS_HELP_BRIEF, DMS_HELP_ALL };

/** Options every command takes. */
struct dms_common_args {
	int verbose; /* how many -v */
	bool quiet;  /* -q: nothing on stderr but errors; no progress either */
	int help;    /* enum dms_help */
	bool version;
	uint64_t max_memory_bytes; /* 0: not given */
};

/** One run of one command: what was asked, parsed. */
struct dms_call {
	const struct dms_command *command;
	const char **operands; /* positional arguments, borrowed from argv */
	size_t n_operands;
	const void *args;      /* the command's args struct, zeroed before parsing */
	struct dms_common_args common;
};

/** @ret is DMS_EXIT_CLEAN before the call; an error decides the exit code by its own code. */
typedef struct dms_error *(*dms_command_fn)(const struct dms_call *call, enum dms_exit *ret);

struct dms_command {
	const char *name;
	const char *operands; /* "TRACE...": in the synopsis; NULL: none */
	const char *summary;  /* one line, lower case, no full stop */
	dms_command_fn run;
	const struct dms_option *options;
	size_t n_options;
	size_t args_bytes;
	size_t min_operands, max_operands;
	const char *epilogue; /* printed below the options in --help; NULL: nothing */
};

/* ---- the commands: one file each, src/cli/cmd_<name>.c; rows in src/cli/rows.c -------------- */

enum dms_progress { DMS_PROGRESS_AUTO, DMS_PROGRESS_ON, DMS_PROGRESS_OFF };

/** What --fail-on asks for: a severity and the least confidence, never 0. */
#define DMS_FAIL_ON(severity, confidence) (((severity) + 1) << 4 | (confidence))
#define DMS_FAIL_SEVERITY(value)	  (((value) >> 4) - 1)
#define DMS_FAIL_CONFIDENCE(value)	  ((value)&0xf)
#define DMS_FAIL_NEVER			  (-1)

struct dms_analyze_args {
	const char *output; /* NULL: no database */
	int format;	    /* enum dms_output */
	int progress;	    /* enum dms_progress; AUTO: on a terminal, unless common.quiet */
	struct dms_strings switches; /* of rules: "ID" or "no-ID" */
	const char *inventory, *iomem, *dump_seed, *kernel_log; /* side files; NULL: none */
	const char *kallsyms, *formats_dir;			/* the same */
	struct dms_strings devices, drivers, rules; /* filters; empty: all */
	const char *since, *until;		    /* times; NULL: all */
	uint64_t limit;	    /* findings kept; 0: not given, UINT64_MAX: all */
	int fail_on;	    /* DMS_FAIL_ON(); 0: never */
	bool salvage;	    /* analyze what is left of a damaged file */
	bool keep_events;   /* rows.c does not check that output is given: the command does */
};

struct dms_doctor_args {
	const char *kallsyms, *formats_dir; /* as those of analyze */
	int format; /* DMS_FORMAT_TEXT or DMS_FORMAT_JSON */
};

struct dms_record_args {
	const char *output; /* NULL: trace.dat */
	const char *clock;
	uint64_t buffer_kb, subbuf_kb, duration_s; /* 0: not given */
	int stacks;				   /* enum dms_record_stacks */
	struct dms_strings devices, drivers, events;
	bool has_no_probes, is_dry;
};

struct dms_convert_args {
	const char *output;			/* NULL: not given */
	const char *kallsyms, *formats_dir;	/* as those of analyze */
	int file_version;			/* 6 or 7; 0: not given */
	int is_zstd;				/* 1: compressed */
	bool salvage;				/* convert what is left of a damaged file */
};

struct dms_query_args {
	const char *name;
	int format;
	bool list;
};

struct dms_live_args {
	const char *at;
	const char *device;
};

struct dms_report_args {
	const char *html;		   /* file of the page; "-": standard output; NULL: text */
	const char *csv;		   /* folder; NULL: none */
	const char *json, *trace_json, *folded_bytes, *folded_count, *openmetrics; /* as html */
	struct dms_strings devices, drivers; /* filters; empty: all */
	const char *since, *until;	   /* times; NULL: all */
	uint64_t top;			   /* rows of a list; 0: not given, UINT64_MAX: all */
	const char *columns, *sort;	   /* of the table of devices; NULL: as the format has it */
	int fail_on;			   /* DMS_FAIL_ON(); 0: never */
};
/** What diff and check have in common: judging.c. */
struct dms_judging_args {
	struct dms_strings formats;	       /* "FORMAT" or "FORMAT=FILE"; empty: text */
	struct dms_strings configs;	       /* files, of --config and --suppressions */
	struct dms_strings thresholds, kinds;  /* as dms_config_set_threshold(), _kind() take them */
	int fail_on;			       /* DMS_FAIL_ON(), DMS_FAIL_NEVER; 0: not given */
	bool no_metrics, allow_lossy;
	const char *alpha, *today;	       /* NULL: not given */
	const char *write_suppressions;	       /* file; NULL: none */
};

struct dms_diff_args {
	struct dms_judging_args judging;
	struct dms_strings base, head;
};

struct dms_check_args {
	struct dms_judging_args judging;
	struct dms_strings baselines;
	const char *output;	     /* database to keep; NULL: none */
	int progress;		     /* and the rest: as those of analyze */
	struct dms_strings switches;
	const char *inventory, *iomem, *dump_seed, *kernel_log;
	const char *kallsyms, *formats_dir;
	struct dms_strings devices, drivers;
	bool salvage;
};

struct dms_baseline_args {
	const char *output; /* NULL: standard output */
	struct dms_strings configs, kinds; /* as those of diff */
};

/** How a server of the fleet is reached. */
struct dms_server_args {
	const char *credentials, *cacert; /* files; NULL: not given */
	bool allow_plain;
};

struct dms_push_args {
	struct dms_server_args server;
	const char *host, *build, *taken; /* labels; NULL: as the database has them */
	struct dms_strings without;	  /* tables */
	const char *spool;		  /* folder; NULL: none */
	uint64_t retry_s;		  /* 0: not given, UINT64_MAX: for ever */
	bool is_dry;
};

struct dms_fleet_args {
	struct dms_server_args server;
	const char *since, *until;		       /* times; NULL: all */
	const char *host, *driver, *build, *base, *head; /* words of queries; NULL: not given */
	int format;				       /* enum dms_output */
	bool list, init, cluster, print;
};

struct sqlite3;
struct dms_layout;
/** report_exports.c: write what else @args asks for; *@ret_any: there was something. */
struct dms_error *dms_report_exports(struct sqlite3 *db, const struct dms_report_args *args,
				     const struct dms_layout *layout, bool *ret_any);
#define DMS_REPORT_TOP 100 /* rows of a list in HTML, if not given */

struct dms_error *dms_cmd_analyze(const struct dms_call *call, enum dms_exit *ret);
struct dms_run;
struct dms_run_options;
struct dms_run_filter;
struct progress;
/**
 * cmd_analyze.c: open @run on the operands of @call, read and finish it. Errors: also a trace that
 * has nothing to judge. Ownership: dms_run_close(), also after an error.
 */
struct dms_error *dms_analyze(struct dms_run *run, const struct dms_call *call,
			      const struct dms_run_options *options,
			      const struct dms_run_filter *filter, struct progress *progress);
/** Is a bar to be drawn? @progress: enum dms_progress. */
bool dms_wants_progress(const struct dms_call *call, int progress);
struct dms_error *dms_cmd_query(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_report(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_live(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_doctor(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_record(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_rules(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_convert(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_diff(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_check(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_baseline(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_push(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_fleet(const struct dms_call *call, enum dms_exit *ret);
struct dms_error *dms_cmd_completion(const struct dms_call *call, enum dms_exit *ret);

/** Every command there is, in the order of the help. */
extern const struct dms_command dms_commands[];
extern const size_t dms_n_commands;
/** The options of struct dms_common_args. */
extern const struct dms_option dms_common_options[];
extern const size_t dms_n_common_options;

/* ---- options.c ------------------------------------------------------------------------------ */

/**
 * Parse the options before the command's name: argv[1] on, up to the first operand.
 * *@ret_index: where in @argv the command stands; @argc if there is none.
 * Errors: DMS_ERROR_USAGE.
 */
struct dms_error *dms_common_parse(int argc, char **argv, struct dms_common_args *ret,
				   int *ret_index);
/** The command called @name. Errors: DMS_ERROR_USAGE, with the nearest name there is. */
struct dms_error *dms_command_find(const char *name, const struct dms_command **ret);
/**
 * Parse @argv (what follows the command's name) into @call, whose common options may already
 * hold some. With --help or --version given, the number of operands is not checked.
 * Errors: DMS_ERROR_USAGE, memory. Ownership: dms_call_deinit(), also after an error.
 */
struct dms_error *dms_call_init(struct dms_call *call, const struct dms_command *command, int argc,
				char **argv);
void dms_call_deinit(struct dms_call *call);

/* ---- outfile.c ------------------------------------------------------------------------------ */

typedef struct dms_error *(*dms_write_fn)(const void *context, FILE *out);
/**
 * Have @write fill the file @path; "-": standard output. A regular file is written as
 * "<path>.part" and renamed when complete, symbolic links followed; anything else is written to.
 */
struct dms_error *dms_file_write(const char *path, dms_write_fn write, const void *context);

/* ---- the examples of `dmascope rules ID`, made by scripts/embed-examples.sh ------------------ */

struct dms_example {
	const char *id;	  /* of the rule */
	const char *text; /* events and the finding they make, indented lines */
};
extern const struct dms_example dms_examples[]; /* sorted by id */
extern const size_t dms_n_examples;

/* ---- help.c ---------------------------------------------------------------------------------- */

/** @text word by word from column @begin on, where the line is, in lines of 80 columns. */
void dms_put_wrapped(const char *text, size_t begin, FILE *out);
/** `dmascope --help`: at most DMS_HELP_LINES lines, and `dmascope --help-all`. */
void dms_program_help(enum dms_help help, FILE *out);
/**
 * `dmascope COMMAND --help`: the usual options, and the names of the others; all of them if the
 * command calls none usual. At most DMS_HELP_LINES lines: a test counts them.
 */
void dms_command_help(const struct dms_command *command, enum dms_help help, FILE *out);
#define DMS_HELP_LINES 23 /* a terminal of 24 and its prompt */

#endif

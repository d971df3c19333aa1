/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who checked a map for an error, by a probe of debug_dma_mapping_error(). */
#ifndef DMS_MODEL_CHECK_H
#define DMS_MODEL_CHECK_H

#include "live.h"

/** The map a context made last: dma-debug's own check of it is the next call of the function. */
struct check_last {
	uint64_t serial; /* of its mapping; 0: it failed */
	uint64_t dma_addr;
	struct dms_mapping *mapping;
	uint32_t name; /* of the device */
	uint32_t pid;
	uint32_t epoch; /* the model's loss epoch */
	bool is_set;
	bool is_awaited; /* the kernel's own check of it has not been seen */
};

/** A CPU: a task's last map, and that of an interrupt on top of it. */
struct check_cpu {
	struct check_last last[2];
};

/** A struct device that a probe gives as a pointer, and whose it is. */
struct check_pointer {
	uint64_t pointer;
	uint32_t name;
};

/** What the checks seen so far tell of the probe. */
struct check_state {
	struct check_cpu *cpus;
	size_t n_cpus;
	struct check_pointer *pointers; /* by first sight: a machine has some dozens */
	size_t n_pointers, pointers_capacity;
	uint64_t n_dark;  /* maps that the kernel did not check: the probe was off, or filtered */
	uint64_t n_twice; /* callers not known: mappings checked a second time */
	bool is_dark;	  /* the last map that should have been checked by the kernel was not */
};

#endif

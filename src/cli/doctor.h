/* SPDX-License-Identifier: GPL-2.0-only */
/* What a doctor's checks say, of a trace (cmd_doctor.c) or of a kernel (cmd_doctor_kernel.c). */
#ifndef DMASCOPE_DOCTOR_H
#define DMASCOPE_DOCTOR_H

#include <jansson.h>

#include <dmascope/input.h>

#include "cli.h"

enum verdict { VERDICT_GOOD, VERDICT_PARTLY, VERDICT_MISSING, VERDICT_UNKNOWN };

/** What one check says. Texts are made with dms_asprintf() and freed by the caller. */
struct advice {
	enum verdict verdict;
	char *finding; /* what is there or not; NULL: memory was short */
	char *remedy;  /* what would help; NULL: nothing to do */
};

/** Say it: as a row of @list, or as text if that is NULL; @advice is freed. False: no memory. */
bool doctor_tell(json_t *list, const char *topic, struct advice *advice);

/** Why there is no JSON, or not all of it. */
struct dms_error *doctor_dump_error(void);

/** Examine the running kernel. *@ret: INPUT if it can record nothing of DMA. */
struct dms_error *doctor_kernel(bool is_json, enum dms_exit *ret);

/** What could be recorded better. */
enum doctor_cure {
	CURE_DMA,
	CURE_IOMMU,
	CURE_SWIOTLB,
	CURE_MESSAGES,
	CURE_STACKS,
	CURE_CLOCK,
	CURE_BUFFER,
	CURE_PROBES,
	CURE_ALL,
	DOCTOR_N_CURES
};
/** doctor_cures.c: how, for what recorded the file of @info: an option, or a line for a shell. */
const char *doctor_cure(const struct dms_source_info *info, enum doctor_cure cure);

/** What cmd_doctor_kernel.c has for its checks: the first line of @path, or NULL; what is said. */
struct dms_kernel;
char *doctor_line(const struct dms_kernel *kernel, const char *path);
void doctor_say(struct advice *ret, enum verdict verdict, const char *finding, const char *remedy);
/** True, and said, if tracefs cannot be read. */
bool doctor_is_blind(const struct dms_kernel *kernel, struct advice *ret);

/* doctor_machine.c: one check each */
void doctor_iommu(struct dms_kernel *kernel, struct advice *ret);
void doctor_swiotlb(struct dms_kernel *kernel, struct advice *ret);
void doctor_syncs(struct dms_kernel *kernel, struct advice *ret);
void doctor_debug(struct dms_kernel *kernel, struct advice *ret);
void doctor_config(struct dms_kernel *kernel, struct advice *ret);
void doctor_tools(struct dms_kernel *kernel, struct advice *ret);
void doctor_leftovers(struct dms_kernel *kernel, struct advice *ret);

#endif

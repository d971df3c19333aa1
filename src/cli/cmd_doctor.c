// SPDX-License-Identifier: GPL-2.0-only
/* stub until written */
#include "cli.h"
struct dms_error *dms_cmd_doctor(const struct dms_call *call, enum dms_exit *ret)
{
	(void)call;
	(void)ret;
	return dms_error_new(DMS_ERROR_USAGE, "later");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes tracepoints' events out of a running kernel, so that it is one that never had them, for the
 * system test of what stands in for them.
 *
 * events=SYSTEM/EVENT,... names them. They do not come back before the next boot.
 */
#include <linux/module.h>
#include <linux/trace_events.h>

#define MOST_EVENTS 64

static char *events[MOST_EVENTS];
static int n_events;
module_param_array(events, charp, &n_events, 0);
MODULE_PARM_DESC(events, "SYSTEM/EVENT,...");

static int hide(char *name)
{
	char *event = strchr(name, '/');
	struct trace_event_file *file;
	struct trace_event_call *call;

	if (!event)
		return -EINVAL;
	*event++ = '\0';
	file = trace_get_event_file(NULL, name, event);
	if (IS_ERR(file))
		return PTR_ERR(file);
	call = file->event_call;
	/* the file goes with its event; who looks at it meanwhile makes this fail with EBUSY */
	trace_put_event_file(file);
	return trace_remove_event_call(call);
}

static int __init dmshide_init(void)
{
	int i, err;

	for (i = 0; i < n_events; i++) {
		err = hide(events[i]);
		if (err)
			return err;
	}
	return 0;
}
module_init(dmshide_init);

MODULE_DESCRIPTION("Hides events of tracing");
MODULE_LICENSE("GPL");

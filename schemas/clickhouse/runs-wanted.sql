-- SPDX-License-Identifier: LGPL-2.1-only
-- What stands for {runs} in queries/: rows of complete runs, of the time, host and build asked for.
	taken BETWEEN toDateTime(toUInt32({since}), 'UTC') AND toDateTime(toUInt32({until}), 'UTC')
	AND run_id GLOBAL IN (SELECT run_id FROM runs FINAL
		WHERE taken BETWEEN toDateTime(toUInt32({since}), 'UTC')
			AND toDateTime(toUInt32({until}), 'UTC')
		AND ({host} = '' OR host = {host}) AND ({build} = '' OR build = {build}))

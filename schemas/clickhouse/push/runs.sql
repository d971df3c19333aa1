-- SPDX-License-Identifier: LGPL-2.1-only
-- The row of a run in ClickHouse's table runs
WITH fact AS (SELECT
	max(iif(key = 'uname', value, NULL)) AS uname,
	max(iif(key = 'tool_version', value, NULL)) AS tool_version,
	max(iif(key = 'clock', value, NULL)) AS clock,
	max(iif(key = 'clock_is_ns', value, NULL)) AS clock_is_ns,
	max(iif(key = 'first_ns', value, NULL)) AS first_ns,
	max(iif(key = 'last_ns', value, NULL)) AS last_ns,
	max(iif(key = 'events', value, NULL)) AS events,
	max(iif(key = 'lost_events', value, NULL)) AS lost_events,
	max(iif(key = 'gaps', value, NULL)) AS gaps
	FROM run)
SELECT :capture AS capture, :run_id AS run_id, :host AS host, :build AS build,
	:release AS release, coalesce(uname, '') AS uname, :taken AS taken,
	coalesce(tool_version, '') AS tool_version, user_version AS schema,
	coalesce(clock, '') AS clock, coalesce(CAST(clock_is_ns AS INTEGER), 0) AS clock_is_ns,
	coalesce(CAST(last_ns AS INTEGER) - CAST(first_ns AS INTEGER), 0) AS span_ns,
	coalesce(CAST(events AS INTEGER), 0) AS events, CAST(lost_events AS INTEGER) AS lost_events,
	coalesce(CAST(gaps AS INTEGER), 0) AS gaps,
	iif(:mappings, (SELECT count(*) FROM mapping), 0) AS mappings,
	iif(:finding_groups, (SELECT count(*) FROM finding_group), 0) AS finding_groups
FROM fact, pragma_user_version

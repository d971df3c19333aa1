-- What this trace cannot show, and why
SELECT n.rule, d.name AS device, d.generation, n.reason
FROM not_judged AS n LEFT JOIN device AS d ON d.id = n.device_id ORDER BY n.id;

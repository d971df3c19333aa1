-- How sure the pairing is, by device and reason
SELECT d.name AS device, d.generation, m.end, m.confidence, m.reason, count(*) AS mappings
FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id
WHERE m.confidence <> 'certain'
GROUP BY m.device_id, m.end, m.confidence, m.reason
ORDER BY mappings DESC, m.device_id, m.end, m.confidence, m.reason;

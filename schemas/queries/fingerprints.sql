-- Findings by fingerprint, gravest first: what tells one defect from another in any run
SELECT severity, confidence, count, fingerprint, device, driver, first_ns, finding_id, reason, id
FROM finding_groups
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, count DESC, id;

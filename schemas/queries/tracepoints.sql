-- Records of each tracepoint, and those that could not be decoded
SELECT f.path, t.system, t.name, t.records, t.malformed, t.reason, t.decoded
FROM tracepoint AS t JOIN input_file AS f ON f.id = t.file_id
WHERE t.records > 0 ORDER BY t.file_id, t.system, t.name;

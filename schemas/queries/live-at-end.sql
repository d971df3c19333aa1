-- Mappings still live when the trace ended, oldest first
SELECT device, kind, dma_addr, size_bytes, direction, map_ns, map_comm, map_function,
	map_module, confidence, id
FROM live_mappings ORDER BY map_ns, id;

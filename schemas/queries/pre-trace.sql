-- Unmaps whose map is older than the trace, or was lost
SELECT device, kind, dma_addr, size_bytes, unmap_ns, unmap_function, unmap_module, reason, id
FROM mappings WHERE end = 'pre-trace' ORDER BY unmap_ns, id;

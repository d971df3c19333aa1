-- Functions that map, by device, busiest first
SELECT device, generation, function, module, stacks, mappings, size_bytes, live_at_end,
	lifetime_mean_ns, lifetime_max_ns, first_stack_id
FROM call_sites ORDER BY mappings DESC, device, generation, function, module;

-- Places where the tracer lost events, or where their order is not known
SELECT cpu, instance, after_ns, before_ns, before_ns - after_ns AS length_ns, lost, id
FROM gap ORDER BY id;

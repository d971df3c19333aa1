# SPDX-License-Identifier: GPL-2.0-only
# Sets what dma-debug said of one recording against what dmascope found in it.
#
# Input, tab-separated, the R rows first:
#   R rule                                            a rule there is
#   F rule severity confidence device addr[,addr].. message reason   a finding
#   N rule device reason                              a rule that could not be judged; - is any device
#   E kind device dma fields                          a message of dma-debug (expected.tsv)
#   S kind dma                                        a seeded mistake
# Output: "status<TAB>kind<TAB>rule or reason", for each mistake; status is reproduced, underivable,
# no-rule or missed; "extra<TAB>rule<TAB>message" for each warning or error nobody asked for.
# Variables: recording (CASE VARIANT).
BEGIN {
	FS = OFS = "\t"
	# dma-debug's check: the rules that may answer it
	rules["free-invalid"] = "unmap-invalid-address"
	rules["free-unknown"] = "double-unmap unmap-interior-address unmap-wrong-device unmap-not-mapped"
	rules["free-size"] = "unmap-size-mismatch"
	rules["free-function"] = "unmap-wrong-function"
	rules["free-cpu-address"] = "free-cpu-address-mismatch"
	rules["free-nents"] = "unmap-sg-count-mismatch"
	rules["free-direction"] = "unmap-direction-mismatch"
	rules["sync-unknown"] = "sync-after-unmap sync-outside-range sync-not-mapped"
	rules["sync-direction"] = "sync-direction-mismatch"
	rules["sync-readonly-for-cpu"] = "sync-readonly-for-cpu"
	rules["sync-writeonly-to-device"] = "sync-writeonly-for-device"
	rules["sync-nents"] = "sync-sg-count-mismatch"
	rules["leak"] = "leak-at-unbind"
	rules["map-error-unchecked"] = "map-error-unchecked"
	rules["map-stack"] = "map-from-stack"
	rules["map-invalid-area"] = "map-invalid-area"
	rules["overlap"] = "overlapping-cacheline"
	rules["sg-boundary"] = "sg-segment-boundary"
	rules["sg-segment-long"] = "sg-segment-too-long"
	rules["other-map-overflow"] = "map-failed" # the mapping layer's own message
	rules["other-vmalloc-rejected"] = "map-failed"
	# messages of the mapping layer itself, of calls that leave no event
	reason["other-vmalloc-rejected"] = "refused before the tracepoint: no event"
	if (recording ~ /^ctl_fail_sg /)
		reason["other-map-overflow"] = "a list that cannot be mapped leaves no event"
	# seeds of the stress cases
	seed["sg_nents"] = "unmap-sg-count-mismatch"
	seed["dir"] = "unmap-direction-mismatch"
	seed["size"] = "unmap-size-mismatch"
	seed["wrong_dev"] = "unmap-wrong-device"
	seed["sync_dir"] = "sync-direction-mismatch"
	seed["double_unmap"] = "double-unmap"
	seed["wrong_function"] = "unmap-wrong-function"
	seed["sync_outside"] = "sync-outside-range"
	seed["overlap"] = "overlapping-cacheline"
	seed["unchecked"] = "map-error-unchecked"
	seed["leak"] = "leak-at-unbind"
}

$1 == "R" { is_rule[$2] = 1 }

$1 == "N" { not_judged[$2, $3] = $4 }

$1 == "F" {
	n++
	rule[n] = $2; severity[n] = $3; device[n] = $5; message[n] = $7; doubt[n] = $8
	n_addrs = split($6, list, ",")
	for (i = 1; i <= n_addrs; i++)
		left[n, list[i]] = 1 # each address of a list answers one message
	seed_addr[n] = list[1]
}

# True if finding @i holds each "key=value" of @fields, which may have been "key value" in the log;
# CPU addresses are physical there, virtual here, or hashed.
function has_fields(i, fields,    pairs, k, count, words) {
	count = split(fields, pairs, ";")
	for (k = 1; k <= count; k++) {
		words = pairs[k]
		sub(/=/, " ", words)
		if (pairs[k] !~ /^(-|cpu|addr=)/ && !index(message[i], "[" pairs[k] "]") &&
		    !index(message[i], "[" words "]"))
			return 0
	}
	return 1
}

# True if finding @i may answer; takes what it answers with.
function answers(i, kind, dev, dma, fields) {
	if (!index(" " rules[kind] " ", " " rule[i] " ") || device[i] != dev)
		return 0
	if (severity[i] == "info" && kind !~ /^other-/)
		return 0
	if (!has_fields(i, fields))
		return 0
	if (dma == "-") {
		if (kind ~ /nents$/ || !used[i])
			return 1
		return 0
	}
	if (!((i, dma) in left))
		return 0
	delete left[i, dma]
	return 1
}

# dma-debug says the count of a list once for each entry it walks.
function is_repetition(i, kind, fields,    words) {
	if (kind !~ /nents$/)
		return 0
	split(fields, words, /(unmap|sync) count=/)
	return used[i] >= words[2] + 0
}

# Why dmascope itself says that @rule could not be judged on @dev; "" if it does not say so.
function why_not(one_rule, dev) {
	if ((one_rule, dev) in not_judged)
		return not_judged[one_rule, dev]
	return (one_rule, "-") in not_judged ? not_judged[one_rule, "-"] : ""
}

# What became of a message nobody answered; sets why. A finding that is only information has its
# reason for doubt.
function verdict(kind, dev, dma,    list, count, i, known) {
	why = kind in reason ? reason[kind] : ""
	count = split(rules[kind], list, " ")
	for (i = 1; i <= count; i++) {
		known += list[i] in is_rule
		if (why == "")
			why = why_not(list[i], dev)
	}
	for (i = 1; i <= n && why == ""; i++) {
		if (index(" " rules[kind] " ", " " rule[i] " ") && device[i] == dev &&
		    severity[i] == "info" && (dma == "-" || (i, dma) in left))
			why = "told as information: " doubt[i]
	}
	if (why != "")
		return "underivable"
	return known ? "missed" : "no-rule"
}

$1 == "E" {
	kind = $2
	# a wrong function is said once more as a list of 0 entries; it is one mistake
	if (kind == "free-nents" && $5 ~ /map count=0;/)
		next
	for (i = 1; i <= n; i++) {
		if (is_repetition(i, kind, $5) || !answers(i, kind, $3, $4, $5))
			continue
		if (!used[i]++)
			print "reproduced", kind, rule[i]
		else if (kind !~ /nents$/ && $4 == "-")
			print "reproduced", kind, rule[i]
		next
	}
	status = verdict(kind, $3, $4)
	print status, kind, status == "underivable" ? why : rules[kind] " " $4 " " $5
}

$1 == "S" {
	seeds++
	for (i = 1; i <= n; i++) {
		at = $2 == "sync_outside" ? substr(seed_addr[i], 1, 15) "000" : seed_addr[i]
		if (seeded[i] || severity[i] == "info" || rule[i] != seed[$2] || at != $3)
			continue
		seeded[i] = 1
		print "seed-found", $2, rule[i]
		next
	}
	why = why_not(seed[$2], "-")
	if (!(seed[$2] in is_rule))
		print "seed-no-rule", $2, seed[$2]
	else if (why != "")
		print "seed-underivable", $2, why
	else
		print "seed-missed", $2, seed[$2] " at " $3
}

END {
	for (i = 1; i <= n; i++) {
		if (severity[i] == "info")
			continue
		# a wrong direction of a sync is two of dma-debug's messages and one seed
		if (seeds && rule[i] ~ /^sync-(readonly|writeonly)/)
			seeded[i] = 1
		if (!used[i])
			print "extra", rule[i], message[i]
		if (seeds && !seeded[i])
			print "seed-extra", rule[i], message[i]
	}
}

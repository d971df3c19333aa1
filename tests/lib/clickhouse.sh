# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# ClickHouse servers for tests: ordinary processes on loopback, each in a folder of its own.
#
# A script that sources this calls clickhouse_stop_all when it ends, whatever happened.

clickhouse_pids=()

# The server's program into $clickhouse: installed, or unpacked by ./dev into build/clickhouse, which
# the build under sanitizers shares.
clickhouse_find() {
	clickhouse=$(PATH=$PATH:/usr/sbin command -v clickhouse-server) && return 0
	for clickhouse in "$BUILD"/{,../}clickhouse/usr/sbin/clickhouse-server; do
		[ -x "$clickhouse" ] && return 0
	done
	return 1
}

# COUNT ports that nobody listens on, one a line.
clickhouse_ports() {
	perl -MIO::Socket::INET -e '
		for (1 .. $ARGV[0]) {
			push @held, IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0")
				or die "no port: $!\n";
			print $held[-1]->sockport, "\n";
		}' "$1"
}

# clickhouse_config DIR HTTP-PORT TCP-PORT [XML]: what a server in DIR needs; XML goes into its config.
# The user default has no password, the user pusher has "s3cret", the user reader may only read.
clickhouse_config() {
	mkdir -p "$1/tmp"
	cat >"$1/config.xml" <<-END
		<yandex>
		<logger><level>warning</level><log>$1/log</log><errorlog>$1/err</errorlog></logger>
		<http_port>$2</http_port><tcp_port>$3</tcp_port><listen_host>127.0.0.1</listen_host>
		<path>$1/data/</path><tmp_path>$1/tmp/</tmp_path>
		<users_config>users.xml</users_config><default_profile>default</default_profile>
		<default_database>default</default_database><timezone>UTC</timezone>
		<mark_cache_size>67108864</mark_cache_size>
		<uncompressed_cache_size>0</uncompressed_cache_size>
		${4-}
		</yandex>
	END
	cat >"$1/users.xml" <<-END
		<yandex>
		<profiles><default><max_memory_usage>1000000000</max_memory_usage></default>
		<readonly><readonly>1</readonly></readonly></profiles>
		<users>
		<default><password></password><networks><ip>127.0.0.1</ip></networks>
		<profile>default</profile><quota>default</quota></default>
		<pusher><password>s3cret</password><networks><ip>127.0.0.1</ip></networks>
		<profile>default</profile><quota>default</quota></pusher>
		<reader><password></password><networks><ip>127.0.0.1</ip></networks>
		<profile>readonly</profile><quota>default</quota></reader>
		</users>
		<quotas><default></default></quotas>
		</yandex>
	END
}

# clickhouse_run DIR HTTP-PORT: start the server in DIR and wait for it; its pid into $DIR/pid.
clickhouse_run() {
	local i pid
	(cd "$1" && exec "$clickhouse" --config-file=config.xml >out 2>&1) &
	pid=$!
	echo "$pid" >"$1/pid"
	clickhouse_pids+=("$pid")
	for ((i = 0; i < 300; i++)); do
		clickhouse_ask "$2" 'SELECT 1' >/dev/null 2>&1 && return 0
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# clickhouse_start DIR [XML]: a server in DIR; its port for HTTP into $clickhouse_port.
# shellcheck disable=SC2034 # for whoever sources this
clickhouse_start() {
	local try ports
	for try in 1 2 3; do # somebody else may be faster with a port
		mapfile -t ports < <(clickhouse_ports 2)
		mkdir -p "$1"
		clickhouse_config "$1" "${ports[0]}" "${ports[1]}" "${2-}"
		clickhouse_port=${ports[0]}
		clickhouse_run "$1" "${ports[0]}" && return 0
		echo "clickhouse: try $try: $(tail -n 1 "$1/out")" >&2
	done
	return 1
}

# clickhouse_ask PORT SQL [DATABASE]: the answer, tabs between columns
clickhouse_ask() {
	perl -MIO::Socket::INET -e '
		my ($port, $sql, $database) = @ARGV;
		my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 60)
			or die "no server: $!\n";
		printf $socket "POST /?database=%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s",
			$database, length $sql, $sql;
		local $/;
		my ($head, $body) = split /\r\n\r\n/, <$socket>, 2;
		print $body;
		exit($head !~ m(^HTTP/1.[01] 200));' "$1" "$2" "${3-default}"
}

# clickhouse_kill DIR: at once, as a power cut would
clickhouse_kill() {
	kill -KILL "$(cat "$1/pid")" 2>/dev/null
	wait "$(cat "$1/pid")" 2>/dev/null
}

clickhouse_stop_all() {
	local pid
	for pid in "${clickhouse_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait "${clickhouse_pids[@]}" 2>/dev/null
	clickhouse_pids=()
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# ZooKeeper for tests: an ordinary process on loopback, in a folder of its own (sourced).

# Debian packages with all that one ZooKeeper needs to run; its own package wants to be a service.
zookeeper_packages='libzookeeper-java libslf4j-java liblog4j1.2-java libdropwizard-metrics-java
	libsnappy-java libnetty-java'

# What it takes into $zookeeper_classes: installed, or unpacked into build/zookeeper, once.
# Why not goes to standard error.
zookeeper_find() {
	local dir jar
	command -v java >/dev/null || { echo 'java is not installed' >&2; return 1; }
	for dir in /usr/share/java "$BUILD"/{,../}zookeeper/usr/share/java; do
		[ -e "$dir/zookeeper.jar" ] && [ -e "$dir/metrics-core.jar" ] && break
		dir=
	done
	[ -n "$dir" ] || { zookeeper_unpack && dir=$BUILD/zookeeper/usr/share/java; } || return 1
	zookeeper_classes=
	for jar in zookeeper zookeeper-jute slf4j-api slf4j-nop log4j-1.2 metrics-core snappy-java netty-all; do
		zookeeper_classes=$zookeeper_classes${zookeeper_classes:+:}$dir/$jar.jar
	done
}

zookeeper_unpack() {
	local part deb
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
		{ echo 'zookeeper is not installed' >&2; return 1; }
	part=$(mktemp -d "$BUILD/zookeeper.XXXXXX") || return 1
	# shellcheck disable=SC2086 # names
	if ! (cd "$part" && apt-get -qq -o APT::Sandbox::User=root download $zookeeper_packages) </dev/null >"$part/log" 2>&1; then
		rm -rf "$part"
		echo 'zookeeper is neither installed nor to be had by apt-get download' >&2
		return 1
	fi
	for deb in "$part"/*.deb; do dpkg-deb -x "$deb" "$part" || return 1; done
	rm -f "$part"/*.deb
	mv -T "$part" "$BUILD/zookeeper" 2>/dev/null || rm -rf "$part"
}

# zookeeper_start DIR PORT: into $zookeeper_pid; it answers when this returns
zookeeper_start() {
	local i
	mkdir -p "$1/data"
	cat >"$1/zoo.cfg" <<-END
		tickTime=1000
		dataDir=$1/data
		clientPort=$2
		clientPortAddress=127.0.0.1
		admin.enableServer=false
		4lw.commands.whitelist=ruok
	END
	java -Xmx192m -XX:+UseSerialGC -cp "$zookeeper_classes" \
		org.apache.zookeeper.server.quorum.QuorumPeerMain "$1/zoo.cfg" >"$1/out" 2>&1 &
	zookeeper_pid=$!
	for ((i = 0; i < 300; i++)); do
		# who asks while it starts may wait for ever
		[ "$(perl -MIO::Socket::INET -e '
			alarm 5;
			my $socket = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or exit 1;
			print $socket "ruok"; $socket->shutdown(1); print <$socket>' "$2" 2>/dev/null)" = imok ] && return 0
		kill -0 "$zookeeper_pid" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

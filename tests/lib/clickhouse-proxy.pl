#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# A bad network between a client and a server, both on loopback. Prints its port, then serves until
# it is killed.
#
#   clickhouse-proxy.pl to PORT cut BYTES     pass on so many bytes of what clients send, then hang up
#   clickhouse-proxy.pl to PORT refuse COUNT  hang up on the first COUNT connections
#   clickhouse-proxy.pl answer FILE           say what FILE holds to whoever connects
#   clickhouse-proxy.pl answer FILE mib COUNT the same, and then so many MiB more
#
# For each who was answered it prints a further line: the MiB that he took.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my %told = @ARGV;
my $left = $told{cut} // 1e18;
my $refuse = $told{refuse} // 0;
my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1:0', ReuseAddr => 1)
    or die "listen: $!\n";
$| = 1;
$SIG{PIPE} = 'IGNORE'; # who has enough hangs up
print $listener->sockport, "\n";

sub answer {
    my ($client) = @_;
    open my $file, '<', $told{answer} or die "$told{answer}: $!\n";
    local $/;
    sysread $client, my $request, 65536;
    my $text = <$file>;
    $client->autoflush(1);
    print $client $text;
    my ($line, $taken) = ('x' x 1023 . "\n", 0);
    $taken++ while $taken < ($told{mib} // 0) and print $client $line x 1024;
    print "$taken\n";
}

# Bytes to and fro, until one side or the allowance ends.
sub pass {
    my ($client) = @_;
    my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$told{to}") or return;
    my $both = IO::Select->new($client, $server);
    while (my @ready = $both->can_read) {
        for my $from (@ready) {
            my $room = $from == $client ? ($left < 65536 ? $left : 65536) : 65536;
            return if $room <= 0;
            sysread($from, my $bytes, $room) or return;
            $left -= length $bytes if $from == $client;
            my $to = $from == $client ? $server : $client;
            print $to $bytes;
            $to->flush;
        }
    }
}

while (my $client = $listener->accept) {
    if ($told{answer}) { answer($client) }
    elsif ($refuse-- > 0) { }
    elsif ($left > 0) { pass($client) }
    close $client;
}

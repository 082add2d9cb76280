#!/usr/bin/perl
# Streams and who sends or counts them, for the forwarder's bench. Two cores carry all of a stream, so what its ends take is
# missing to the forwarder and to sshd: 500 MB cost a client on Node.js 200 ms, this one 80.
#
# `serve`: prints its port. A connection says by a byte and a number of 64 bits what it wants: `d`: that many bytes; `u`: to
# send that many, which one byte answers.
# `load PORT up|down BYTES`: prints a line of JSON, MB a second, of 10^6 bytes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Loopback;
use Socket qw(:all);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant { PIECE => 256 * 1024, ANSWER => 'k', REQUEST => 'aQ>', REQUEST_LENGTH => 9 };

sub send_bytes {
    my ($socket, $left) = @_;
    my $piece = 'a' x PIECE;
    while ($left > 0) {
        $left -= syswrite($socket, $piece, $left < PIECE ? $left : PIECE) || die "write: $!\n";
    }
}

# how many came until the end, or until there were so many
sub take_bytes {
    my ($socket, $most) = @_;
    my ($got, $piece) = (0, '');
    while ($got < $most) {
        my $read = sysread($socket, $piece, PIECE) // die "read: $!\n";
        last if $read == 0;
        $got += $read;
    }
    return $got;
}

sub answer {
    my ($socket) = @_;
    my $request = '';
    1 while length $request < REQUEST_LENGTH
        and sysread($socket, $request, REQUEST_LENGTH - length $request, length $request);
    return if length $request < REQUEST_LENGTH;
    my ($kind, $count) = unpack(REQUEST, $request);
    if ($kind eq 'd') { send_bytes($socket, $count); }
    elsif (take_bytes($socket, $count) == $count) { syswrite $socket, ANSWER; }
    shutdown($socket, SHUT_WR);
    sysread($socket, my $end, 1);
}

sub serve {
    my $listener = tcp_socket();
    listen_on_loopback($listener);
    $SIG{CHLD} = 'IGNORE';
    while (accept(my $socket, $listener)) {
        my $child = fork // die "fork: $!\n";
        if ($child == 0) {
            alarm PATIENCE_S;
            answer($socket);
            exit 0;
        }
        close $socket;
    }
}

sub load {
    my ($port, $direction, $count) = @_;
    alarm PATIENCE_S;
    my $started = clock_gettime(CLOCK_MONOTONIC);
    my $socket = tcp_socket();
    connect($socket, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!\n";
    syswrite $socket, pack(REQUEST, $direction eq 'up' ? 'u' : 'd', $count);
    send_bytes($socket, $count) if $direction eq 'up';
    my $expected = $direction eq 'up' ? length ANSWER : $count;
    my $got = take_bytes($socket, $expected + 1);
    die "$got bytes of $expected\n" if $got != $expected;
    my $rate = $count / 1e6 / (clock_gettime(CLOCK_MONOTONIC) - $started);
    print qq({"perSecond":$rate}\n);
}

my ($command, @arguments) = @ARGV;
$command eq 'serve' ? serve() : load(@arguments);

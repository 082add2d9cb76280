#!/usr/bin/perl
# Short connections and who answers them, for the forwarder's bench. Node.js at both ends takes as long as what is
# measured, and stops now and then to collect: straight to each other 95 % of its connections are within 1.1 to 2.6 ms,
# of these within 0.3. Perl is on every Debian that has git.
#
# `serve`: prints its port, then answers the nine bytes of each connection with one, and closes it.
# `load PORT COUNT AT_ONCE`: connects so often, and prints a line of JSON: connections a second, and milliseconds that
# half of them take at most from the first call to the end of the answer, and 95 % of them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Loopback;
use Socket qw(:all);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant { REQUEST => 's' . "\0" x 8, ANSWER => 'k' };

sub serve {
    my $listener = tcp_socket();
    # accept() waits for the request, so that no connection waits for that of another one
    setsockopt($listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, PATIENCE_S) or die "TCP_DEFER_ACCEPT: $!\n";
    listen_on_loopback($listener);
    while (accept(my $socket, $listener)) {
        my $request = '';
        1 while length $request < length REQUEST and sysread($socket, $request, 9, length $request);
        syswrite $socket, ANSWER;
        close $socket;
    }
}

# seconds that one connection takes
sub connect_once {
    my ($to) = @_;
    my $started = clock_gettime(CLOCK_MONOTONIC);
    my $socket = tcp_socket();
    connect($socket, $to) or die "connect: $!\n";
    syswrite $socket, REQUEST;
    my $answer = '';
    1 while sysread($socket, $answer, 9, length $answer);
    die "the answer is '$answer'\n" if $answer ne ANSWER;
    return clock_gettime(CLOCK_MONOTONIC) - $started;
}

sub load {
    my ($port, $count, $at_once) = @_;
    my $to = sockaddr_in($port, INADDR_LOOPBACK);
    my $started = clock_gettime(CLOCK_MONOTONIC);
    my @workers = map {
        my $worker = open(my $found, '-|') // die "fork: $!\n";
        if ($worker == 0) {
            alarm PATIENCE_S;
            my @own = map { connect_once($to) } 1 .. int(($count + $_ - 1) / $at_once);
            print map { "$_\n" } @own;
            exit 0;
        }
        $found;
    } 1 .. $at_once;
    my @seconds = sort { $a <=> $b } map { readline $_ } @workers;
    my $rate = $count / (clock_gettime(CLOCK_MONOTONIC) - $started);
    die scalar(@seconds) . " of $count connections\n" if @seconds != $count;
    my ($p50, $p95) = map { 1000 * $seconds[int($_ * $#seconds)] } 0.5, 0.95;
    print qq({"perSecond":$rate,"p50":$p50,"p95":$p95}\n);
}

my ($command, @arguments) = @ARGV;
$command eq 'serve' ? serve() : load(@arguments);

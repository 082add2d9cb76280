# Sockets of the forwarder's loads.
package Loopback;
use strict;
use warnings;
use Exporter 'import';
use Socket qw(:all);

our @EXPORT = qw(tcp_socket listen_on_loopback PATIENCE_S);

# what stands still must not hold the bench
use constant PATIENCE_S => 60;

sub tcp_socket {
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1) or die "TCP_NODELAY: $!\n";
    return $socket;
}

# prints the port
sub listen_on_loopback {
    my ($listener) = @_;
    bind($listener, sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!\n";
    listen($listener, 512) or die "listen: $!\n";
    my ($port) = sockaddr_in(getsockname($listener));
    syswrite STDOUT, "$port\n";
}

1;

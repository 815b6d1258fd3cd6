# Sends the probes that stand on standard input, a few at a time, in the network namespace it is run in, and says what became of each:
#     ID PROTOCOL SOURCE DESTINATION SOURCE-PORT PORT DATA SIZE PATIENCE-MS    `-` is what is absent; of an echo request the port is its identifier
#     result ID SOURCE SOURCE-PORT AFTER-MS (answered BYTES | refused | icmp TYPE CODE FROM | errno NAME | silent | failed REASON)
# One packet each, and what the kernel repeats of a SYN while it waits. Nothing but modules of perl-base, which is on every Debian and Ubuntu.
use strict;
use warnings;
use Errno;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use POSIX ();
use Socket qw(:DEFAULT inet_pton inet_ntop pack_sockaddr_in6 unpack_sockaddr_in6 AF_INET6);

$| = 1;
my $at_once = 8;
# between one and the next: whoever watches has to keep up
my $gap = 0.02;
# linux/in.h, linux/in6.h
my ($ICMP, $ICMPV6, $IP_MTU_DISCOVER, $IPV6_MTU_DISCOVER, $IPV6_V6ONLY, $IPV6_DONTFRAG, $PMTUDISC_DO) = (1, 58, 10, 23, 26, 62, 2);
my ($SOL_IP, $SOL_IPV6) = (0, 41);
my %number = (tcp => 6, udp => 17);
my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);

sub now { (POSIX::times())[0] * 1000 / $ticks }
sub error_name { my @names = grep { $!{$_} && $_ ne 'EWOULDBLOCK' } sort keys %!; $names[0] // 'E' . ($! + 0) }
sub address { my ($family, $port, $ip) = @_; $family == AF_INET6 ? pack_sockaddr_in6($port, $ip) : pack_sockaddr_in($port, $ip) }
sub nonblocking { fcntl($_[0], F_SETFL, fcntl($_[0], F_GETFL, 0) | O_NONBLOCK) }

my (@waiting, @flying, %raw);

sub done {
  my ($p, @answer) = @_;
  my ($src, $sport) = ('-', '-');
  if ($p->{socket} and my $name = getsockname $p->{socket}) {
    my ($port, $ip) = $p->{family} == AF_INET6 ? unpack_sockaddr_in6($name) : unpack_sockaddr_in($name);
    ($src, $sport) = (inet_ntop($p->{family}, $ip), $p->{proto} eq 'icmp' ? $p->{sport} : $port);
  }
  print join(' ', 'result', $p->{id}, $src, $sport, int(now() - ($p->{start} // now())), @answer), "\n";
  close $p->{socket} if $p->{socket};
  $p->{over} = 1;
}

# RFC 1071
sub checksum {
  my $sum = 0;
  $sum += $_ for unpack 'n*', length($_[0]) % 2 ? "$_[0]\0" : $_[0];
  $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
  ~$sum & 0xffff;
}

sub echo_request {
  my ($p, $data) = @_;
  my $packet = pack('CCnnn', $p->{family} == AF_INET6 ? 128 : 8, 0, 0, $p->{sport}, 1) . $data;
  # the kernel does it for IPv6
  substr($packet, 2, 2) = pack 'n', checksum($packet) if $p->{family} == AF_INET;
  $packet;
}

# Hears ICMP of a family: errors say more here than in errno, and before it
sub hear {
  my ($family) = @_;
  return if exists $raw{$family};
  $raw{$family} = undef;
  socket(my $s, $family, SOCK_RAW, $family == AF_INET6 ? $ICMPV6 : $ICMP) or return;
  nonblocking($s);
  setsockopt $s, SOL_SOCKET, SO_RCVBUF, 1 << 20;
  $raw{$family} = $s;
}

sub start {
  my ($p) = @_;
  hear($p->{family});
  $p->{start} = now();
  my ($type, $proto) = $p->{proto} eq 'tcp' ? (SOCK_STREAM, 0) : $p->{proto} eq 'udp' ? (SOCK_DGRAM, 0)
    : (SOCK_RAW, $p->{family} == AF_INET6 ? $ICMPV6 : $ICMP);
  socket($p->{socket}, $p->{family}, $type, $proto) or return done($p, 'failed', 'socket:', error_name());
  nonblocking($p->{socket});
  setsockopt $p->{socket}, $SOL_IPV6, $IPV6_V6ONLY, pack 'i', 1 if $p->{family} == AF_INET6;
  my $any = inet_pton($p->{family}, $p->{family} == AF_INET6 ? '::' : '0.0.0.0');
  my $src = $p->{src} eq '-' ? $any : inet_pton($p->{family}, $p->{src});
  return done($p, 'failed', 'no address of its family') unless defined $src;
  bind $p->{socket}, address($p->{family}, $p->{proto} eq 'icmp' ? 0 : $p->{sport}, $src) or return done($p, 'failed', 'bind:', error_name());
  my $data = pack 'H*', $p->{data} eq '-' ? '' : $p->{data};
  if ($p->{size} ne '-') {
    $data .= "\0" x ($p->{size} - length $data) if $p->{size} > length $data;
    if ($p->{family} == AF_INET6) {
      setsockopt $p->{socket}, $SOL_IPV6, $_->[0], pack 'i', $_->[1] for [$IPV6_MTU_DISCOVER, $PMTUDISC_DO], [$IPV6_DONTFRAG, 1];
    } else {
      setsockopt $p->{socket}, $SOL_IP, $IP_MTU_DISCOVER, pack 'i', $PMTUDISC_DO;
    }
  }
  my $to = address($p->{family}, $p->{proto} eq 'icmp' ? 0 : $p->{dport}, $p->{to});
  connect $p->{socket}, $to or $!{EINPROGRESS} or return done($p, 'errno', error_name());
  unless ($p->{proto} eq 'tcp') {
    $data = echo_request($p, $data) if $p->{proto} eq 'icmp';
    push @flying, $p;
    # EPERM and its like: it was dropped on its way out, perhaps with an ICMP error right behind; the other ones are an answer
    defined send $p->{socket}, $data, 0 or $!{EPERM} or $!{ENOBUFS} or $!{ENOKEY} or $!{EDESTADDRREQ} or ended($p, $! + 0);
    return;
  }
  push @flying, $p;
}

# The probe whose packet is quoted: addresses and ports are as it was sent, whatever was made of it on its way
sub quoted {
  my ($family, $packet) = @_;
  my ($proto, $dst, $rest);
  if ($family == AF_INET6) {
    return if length $packet < 48;
    ($proto, $dst, $rest) = (ord substr($packet, 6, 1), substr($packet, 24, 16), substr $packet, 40);
  } else {
    my $length = (ord($packet) & 15) * 4;
    return if length $packet < $length + 8;
    ($proto, $dst, $rest) = (ord substr($packet, 9, 1), substr($packet, 16, 4), substr $packet, $length);
  }
  my ($first, $second, $third) = unpack 'nnn', $rest;
  for my $p (grep { !$_->{over} && $_->{family} == $family && $_->{to} eq $dst } @flying) {
    if ($p->{proto} eq 'icmp') { return $p if $proto == ($family == AF_INET6 ? $ICMPV6 : $ICMP) && $third == $p->{sport} }
    elsif ($number{$p->{proto}} == $proto && $first == $p->{sport} && $second == $p->{dport}) { return $p }
  }
  return;
}

sub listen_icmp {
  for my $family (grep { $raw{$_} } keys %raw) {
    while (defined(my $from = recv $raw{$family}, my $packet, 65536, 0)) {
      my (undef, $ip) = $family == AF_INET6 ? unpack_sockaddr_in6($from) : unpack_sockaddr_in($from);
      # a raw socket of IPv4 has the IP header as well
      $packet = substr $packet, (ord($packet) & 15) * 4 if $family == AF_INET;
      next if length $packet < 8;
      my ($type, $code, undef, $id) = unpack 'CCnn', $packet;
      if ($type == ($family == AF_INET6 ? 129 : 0)) {
        my ($p) = grep { !$_->{over} && $_->{proto} eq 'icmp' && $_->{family} == $family && $_->{sport} == $id } @flying;
        done($p, 'answered', length($packet) - 8) if $p;
      } elsif ($family == AF_INET6 ? $type >= 1 && $type <= 4 : $type == 3 || $type == 11 || $type == 12) {
        my $p = quoted($family, substr $packet, 8);
        done($p, 'icmp', $type, $code, inet_ntop($family, $ip)) if $p;
      }
    }
  }
}

sub ended {
  my ($p, $error) = @_;
  # what explains it has come before
  listen_icmp();
  return if $p->{over};
  $! = $error;
  done($p, $p->{proto} eq 'tcp' && $!{ECONNREFUSED} ? 'refused' : $!{ETIMEDOUT} ? 'silent' : ('errno', error_name()));
}

while (defined(my $line = <STDIN>)) {
  my %p;
  @p{qw(id proto src dst sport dport data size patience)} = split ' ', $line;
  next unless defined $p{patience};
  $p{family} = $p{dst} =~ /:/ ? AF_INET6 : AF_INET;
  $p{to} = inet_pton($p{family}, $p{dst});
  push @waiting, \%p;
}

while (@waiting || grep { !$_->{over} } @flying) {
  if (@waiting && @flying < $at_once) {
    start(shift @waiting);
    select undef, undef, undef, $gap;
  }
  @flying = grep { !$_->{over} } @flying;
  my ($read, $write) = ('', '');
  vec($read, fileno $raw{$_}, 1) = 1 for grep { $raw{$_} } keys %raw;
  for my $p (@flying) {
    if ($p->{proto} eq 'tcp') { vec($write, fileno $p->{socket}, 1) = 1 }
    elsif ($p->{proto} eq 'udp') { vec($read, fileno $p->{socket}, 1) = 1 }
  }
  my ($soonest) = sort { $a <=> $b } map { $_->{start} + $_->{patience} - now() } @flying;
  my $rest = @waiting && @flying < $at_once ? 0 : defined $soonest && $soonest > 0 ? $soonest / 1000 : 0.01;
  select $read, $write, undef, $rest;
  listen_icmp();
  for my $p (@flying) {
    next if $p->{over};
    my $fd = fileno $p->{socket};
    if ($p->{proto} eq 'tcp' && vec $write, $fd, 1) {
      my $error = unpack 'i', getsockopt($p->{socket}, SOL_SOCKET, SO_ERROR);
      if ($error) { ended($p, $error) } else { done($p, 'answered', 0) }
    } elsif ($p->{proto} eq 'udp' && vec $read, $fd, 1) {
      if (defined recv $p->{socket}, my $answer, 65536, 0) { done($p, 'answered', length $answer) }
      elsif (!$!{EAGAIN}) { ended($p, $! + 0) }
    } elsif (now() - $p->{start} >= $p->{patience}) { done($p, 'silent') }
  }
}

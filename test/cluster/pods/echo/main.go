// Tells each client what the server's socket sees of it, as one JSON object: who answers (host), the address and port that were reached, and the
// client's address. The same words as test/support/netns_sockets.py, whose probes read them.
//
//	echo NAME tcp:8080 udp:5353 ...
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type seen struct {
	Host string `json:"host"`
	Dst  string `json:"dst"`
	Port uint16 `json:"port"`
	Src  string `json:"src"`
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: echo NAME tcp:PORT|udp:PORT ...")
	}
	// as PID 1 it would ignore them
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	name := os.Args[1]
	for _, word := range os.Args[2:] {
		proto, port, _ := strings.Cut(word, ":")
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || proto != "tcp" && proto != "udp" {
			fail("not tcp:PORT or udp:PORT: " + word)
		}
		for _, family := range []string{"4", "6"} {
			if proto == "tcp" {
				serveTCP(name, proto+family, uint16(number))
			} else {
				serveUDP(name, proto+family, uint16(number))
			}
		}
	}
	<-signals
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "echo: "+why)
	os.Exit(1)
}

func serveTCP(name, network string, port uint16) {
	listener, err := net.ListenTCP(network, &net.TCPAddr{Port: int(port)})
	if err != nil {
		fail(err.Error())
	}
	go func() {
		for {
			connection, err := listener.AcceptTCP()
			if err != nil {
				fail(err.Error())
			}
			go answer(name, connection)
		}
	}()
}

func answer(name string, connection *net.TCPConn) {
	defer connection.Close()
	own, peer := connection.LocalAddr().(*net.TCPAddr).AddrPort(), connection.RemoteAddr().(*net.TCPAddr).AddrPort()
	line, _ := json.Marshal(seen{name, plain(own.Addr()), own.Port(), plain(peer.Addr())})
	// open until the client has done: a FIN may pass where data do not, and a retransmission has both; who says something is told again
	for {
		if _, err := connection.Write(append(line, '\n')); err != nil {
			return
		}
		connection.SetReadDeadline(time.Now().Add(5 * time.Minute))
		if _, err := connection.Read(make([]byte, 16)); err != nil {
			return
		}
	}
}

func serveUDP(name, network string, port uint16) {
	socket, err := net.ListenUDP(network, &net.UDPAddr{Port: int(port)})
	if err != nil {
		fail(err.Error())
	}
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if network == "udp4" {
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
			} else {
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1)
			}
		})
	}
	if err != nil {
		fail(err.Error())
	}
	go func() {
		data, control := make([]byte, 2048), make([]byte, 128)
		for {
			_, size, _, peer, err := socket.ReadMsgUDPAddrPort(data, control)
			if err != nil {
				continue // an ICMP error about an answer
			}
			reached, back := reachedAt(control[:size])
			text, _ := json.Marshal(seen{name, plain(reached), port, plain(peer.Addr())})
			socket.WriteMsgUDPAddrPort(text, back, peer)
		}
	}()
}

// The address that a datagram was sent to, and the control message that makes an answer come from there: the same one, without the interface,
// which the way back need not use. struct in_pktinfo is index, own address, header's address; in6_pktinfo is address, index; after a 16 byte cmsghdr.
func reachedAt(control []byte) (netip.Addr, []byte) {
	if len(control) >= 36 {
		address := netip.AddrFrom16([16]byte(control[16:32]))
		if !address.IsLinkLocalUnicast() {
			clear(control[32:36])
		}
		return address, control
	}
	if len(control) < 28 {
		return netip.Addr{}, nil
	}
	clear(control[16:20])
	return netip.AddrFrom4([4]byte(control[24:28])), control
}

func plain(address netip.Addr) string {
	return address.WithZone("").Unmap().String()
}

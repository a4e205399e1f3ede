"""The way of a message: addresses, DNS, UDP, TCP, TLS, NAT, lost datagrams, SIP's timers."""

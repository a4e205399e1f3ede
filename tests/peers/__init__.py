"""SIP peers for the tests: programs of others (sipp, Kamailio), and endpoints of our own in other processes."""

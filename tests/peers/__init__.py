"""SIP peers for the tests: programs of others (sipp, Kamailio, baresip), and endpoints of ours in other processes."""

"""Read capture files: the frames of pcap and pcapng, the packets in them, and the SIP messages in these."""

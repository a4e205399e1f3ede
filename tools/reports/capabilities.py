"""What sipbridge offers, and the tests that show it: the rows of docs/engines.md. `engines.py` makes the table.

A pattern is ``module::test`` as fnmatch knows it, below tests/; parameters stand in brackets, so ``[[]tcp*`` is "[tcp".
"""

CAPABILITIES = (
    (
        "Transport",
        (
            ("UDP", ["conformance.test_two_endpoints::*", "conformance.test_peers::*"]),
            (
                "TCP",
                [
                    "conformance.test_baresip::*over_tcp*",
                    "conformance.test_transport::test_a_call[[]tcp://127*",
                    "conformance.test_transport::test_sipp_*[[]tcp://127*",
                    "conformance.test_transport::*_tcp*",
                    "conformance.test_transport::test_messages_split*",
                ],
            ),
            (
                "IPv6",
                [
                    "conformance.test_baresip::*over_ipv6*",
                    "conformance.test_transport::test_a_call[[]*::1*",
                    "conformance.test_transport::test_sipp_*[[]*::1*",
                ],
            ),
            (
                "TLS 1.2 and newer, both sides verified",
                [
                    "conformance.test_baresip::*over_tls*",
                    "conformance.test_transport::*_tls*",
                    "conformance.test_transport::test_a_c*certificate*",
                    "conformance.test_transport::*stranger*",
                ],
            ),
            (
                "Outbound proxy and Route",
                [
                    "conformance.test_kamailio::*outbound*",
                    "conformance.test_outgoing::*route*",
                    "conformance.test_outgoing::*proxy*",
                ],
            ),
            (
                "Advertised address",
                [
                    "conformance.test_kamailio::*nat",
                    "conformance.test_peers::*advertised*",
                    "contract.test_addresses::*",
                ],
            ),
            (
                "DNS: NAPTR, SRV, addresses (RFC 3263)",
                [
                    "conformance.test_dns::test_naptr*",
                    "conformance.test_dns::*services*",
                    "conformance.test_dns::*priority*",
                    "conformance.test_dns::*weights*",
                    "conformance.test_dns::*address*",
                    "conformance.test_dns::*domain*",
                    "conformance.test_dns::*where_it*",
                    "conformance.test_dns::*proxy*",
                    "conformance.test_dns::*offered*",
                    "conformance.test_dns::*of_none*",
                ],
            ),
            (
                "DNS: failover to the next server",
                ["conformance.test_dns::*next_server*", "conformance.test_timers::*next_server*"],
            ),
            (
                "DNS: slow and hostile name servers",
                [
                    "conformance.test_dns::*name_server*",
                    "conformance.test_dns::*looked_up*",
                    "conformance.test_dns::*circle*",
                    "conformance.test_dns::*silent*",
                    "conformance.test_dns::*one_answer*",
                    "conformance.test_dns::*beyond*",
                ],
            ),
            (
                "rport, NAT (RFC 3581)",
                ["conformance.test_nat::*rport*", "conformance.test_nat::*through_a_nat*"],
            ),
            ("Keep-alive over UDP", ["conformance.test_nat::*way*open*"]),
            ("Keep-alive on connections (RFC 5626)", ["conformance.test_nat::*ping*"]),
            ("Lost, repeated and crossing datagrams", ["conformance.test_lost::*"]),
        ),
    ),
    (
        "Registration",
        (
            (
                "Digest, MD5, 401 and 407, stale nonce",
                ["conformance.test_registration::test_digest[[]*", "conformance.test_kamailio::test_stale*"],
            ),
            (
                "Digest, SHA-256 (RFC 8760)",
                [
                    "conformance.test_kamailio::*sha256*",
                    "conformance.test_registration::test_digest_with_sha256*",
                ],
            ),
            (
                "Refresh before expiry, 423",
                [
                    "conformance.test_kamailio::test_kept_up",
                    "conformance.test_registration::*brief*",
                    "conformance.test_registration::*interval*",
                ],
            ),
            ("Several accounts", ["conformance.test_kamailio::test_two_accounts*"]),
            ("Query of bindings, removal of all", ["conformance.test_kamailio::test_what_is_bound*"]),
            (
                "Back-off after failure",
                [
                    "conformance.test_watch::test_kept_until*",
                    "conformance.test_watch::test_kept_through*",
                    "conformance.test_registration::*kept*",
                    "conformance.test_*::test_the_time_between_tries*",
                ],
            ),
        ),
    ),
    (
        "Calls",
        (
            (
                "Outgoing, from INVITE to BYE",
                [
                    "conformance.test_baresip::test_we_call*",
                    "conformance.test_baresip::test_it_refuses*",
                    "conformance.test_kamailio::test_a_call_to*",
                    "conformance.test_outgoing::*",
                ],
            ),
            (
                "Incoming, from INVITE to BYE",
                [
                    "conformance.test_baresip::test_it_calls*",
                    "conformance.test_baresip::test_we_refuse*",
                    "conformance.test_incoming::*",
                ],
            ),
            (
                "Early media",
                [
                    "conformance.test_baresip::test_early*",
                    "conformance.test_incoming::test_to_the_end",
                    "conformance.test_outgoing::test_to_the_end",
                ],
            ),
            ("Reliable provisional responses (RFC 3262)", ["conformance.test_early::test_*reliabl*"]),
            (
                "Several early dialogs",
                [
                    "conformance.test_kamailio::test_several_phones*",
                    "conformance.test_early::test_several_phones*",
                ],
            ),
            (
                "CANCEL and its races",
                [
                    "conformance.test_baresip::*cancel*",
                    "conformance.test_kamailio::test_cancelled*",
                    "conformance.test_lost::*cancel*",
                    "conformance.test_outgoing::*cancel*",
                    "conformance.test_incoming::*cancel*",
                ],
            ),
            (
                "Hold, resume, UPDATE, offer and answer",
                [
                    "conformance.test_baresip::*hold*",
                    "conformance.test_baresip::*offer*",
                    "conformance.test_kamailio::test_a_call_to*",
                    "conformance.test_dialog::*",
                    "conformance.test_call_features::*hold*",
                    "conformance.test_call_features::*offer*",
                    "conformance.test_late_answers::*",
                ],
            ),
            (
                "Glare (491)",
                ["conformance.test_call_features::*reinvite*", "conformance.test_call_features::*glare*"],
            ),
            ("Session timers (RFC 4028)", ["conformance.test_session_timer::*"]),
            (
                "Following redirections",
                ["conformance.test_baresip::test_we_redirect*", "conformance.test_redirect::*"],
            ),
            ("Reason (RFC 3326)", ["conformance.test_call_features::*reason*"]),
            (
                "Identity and privacy (RFC 3323, 3325)",
                ["conformance.test_baresip::test_we_call*", "conformance.test_call_features::*identit*"],
            ),
            ("Wrong arguments and wrong states", ["misuse.*::*", "conformance.test_wrong_state::*"]),
            ("Hostile peers", ["conformance.test_hostile*::*", "conformance.test_early::test_endless*"]),
        ),
    ),
    (
        "Transfer",
        (
            (
                "Blind and attended (RFC 3515, 5589)",
                [
                    "conformance.test_baresip::test_we_transfer*",
                    "conformance.test_baresip::*reach_the_target*",
                    "conformance.test_transfer::test_blind*",
                    "conformance.test_transfer::test_attended*",
                ],
            ),
            (
                "Asked for by the peer",
                [
                    "conformance.test_baresip::test_it_transfers*",
                    "conformance.test_transfer::test_called_*",
                    "conformance.test_transfer::test_refused_by_us",
                ],
            ),
            (
                "Replaces (RFC 3891)",
                ["conformance.test_transfer::*replace_*", "conformance.test_transfer::*replaced*"],
            ),
        ),
    ),
    (
        "Keys",
        (
            (
                "INFO, dtmf-relay and dtmf",
                ["conformance.test_baresip::test_keys_by*", "conformance.test_dialog::test_keys*"],
            ),
            (
                "telephone-event in SDP (RFC 4733)",
                ["conformance.test_baresip::test_keys_in*", "unit.test_sdp*::*", "unit.test_negotiation*::*"],
            ),
        ),
    ),
    (
        "Outside calls",
        (
            (
                "MESSAGE (RFC 3428)",
                [
                    "conformance.test_baresip::test_messages*",
                    "conformance.test_kamailio::test_messages*",
                    "conformance.test_messages::test_message*",
                ],
            ),
            (
                "OPTIONS, watching a peer",
                [
                    "conformance.test_baresip::test_options*",
                    "conformance.test_messages::test_options*",
                    "conformance.test_watch::*",
                ],
            ),
        ),
    ),
    (
        "Events",
        (
            (
                "Subscriber (RFC 6665)",
                [
                    "conformance.test_kamailio_events::*",
                    "conformance.test_baresip::test_it_tells*",
                    "conformance.test_subscription::test_subscribe*",
                    "conformance.test_subscription::*refreshed_before*",
                    "conformance.test_timers::test_no_notify*",
                    "conformance.test_subscription::*ended_for*",
                ],
            ),
            (
                "Notifier",
                [
                    "conformance.test_baresip::test_we_tell*",
                    "conformance.test_subscription::test_accept*",
                    "conformance.test_subscription::*subscriber*",
                    "conformance.test_subscription::test_run_out*",
                ],
            ),
            (
                "PUBLISH (RFC 3903)",
                [
                    "conformance.test_kamailio_events::*publi*",
                    "conformance.test_baresip::test_it_publishes*",
                    "conformance.test_publish::*",
                ],
            ),
        ),
    ),
    (
        "Other parts",
        (
            ("asyncio", ["aio.*::*"]),
            ("Recording as pcap", ["conformance.test_record::*"]),
            ("Worker", ["worker.*::*"]),
            ("Shield", ["shield.*::*"]),
            ("Examples: announcement and recorder", ["conformance.test_media::*"]),
        ),
    ),
)

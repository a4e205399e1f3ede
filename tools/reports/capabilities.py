"""What sipbridge offers, and the tests that show it: the rows of docs/engines.md. `engines.py` makes the table.

A pattern is ``module::test`` as fnmatch knows it, below tests/; parameters stand in brackets, so ``[[]tcp*`` is "[tcp".
"""

CAPABILITIES = (
    (
        "Transport",
        (
            ("UDP", ["conformance.call.test_two_endpoints::*", "conformance.peers.test_each_other::*"]),
            (
                "TCP",
                [
                    "conformance.peers.test_baresip::*over_tcp*",
                    "conformance.transport.test_transport::test_a_call[[]tcp://127*",
                    "conformance.transport.test_transport::test_sipp_*[[]tcp://127*",
                    "conformance.transport.test_transport::*_tcp*",
                    "conformance.transport.test_transport::test_messages_split*",
                ],
            ),
            (
                "IPv6",
                [
                    "conformance.peers.test_baresip::*over_ipv6*",
                    "conformance.transport.test_transport::test_a_call[[]*::1*",
                    "conformance.transport.test_transport::test_sipp_*[[]*::1*",
                ],
            ),
            (
                "TLS 1.2 and newer, both sides verified",
                [
                    "conformance.peers.test_baresip::*over_tls*",
                    "conformance.transport.test_transport::*_tls*",
                    "conformance.transport.test_transport::test_a_c*certificate*",
                    "conformance.transport.test_transport::*stranger*",
                ],
            ),
            (
                "Outbound proxy and Route",
                [
                    "conformance.peers.test_kamailio::*outbound*",
                    "conformance.call.test_outgoing::*route*",
                    "conformance.call.test_outgoing::*proxy*",
                ],
            ),
            (
                "Advertised address",
                [
                    "conformance.peers.test_kamailio::*nat",
                    "contract.test_addresses::*",
                ],
            ),
            (
                "DNS: NAPTR, SRV, addresses (RFC 3263)",
                [
                    "conformance.transport.test_dns::test_naptr*",
                    "conformance.transport.test_dns::*services*",
                    "conformance.transport.test_dns::*priority*",
                    "conformance.transport.test_dns::*weights*",
                    "conformance.transport.test_dns::*address*",
                    "conformance.transport.test_dns::*domain*",
                    "conformance.transport.test_dns::*where_it*",
                    "conformance.transport.test_dns::*proxy*",
                    "conformance.transport.test_dns::*offered*",
                    "conformance.transport.test_dns::*of_none*",
                ],
            ),
            (
                "DNS: failover to the next server",
                [
                    "conformance.transport.test_dns::*next_server*",
                    "conformance.transport.test_timers::*next_server*",
                ],
            ),
            (
                "DNS: slow and hostile name servers",
                [
                    "conformance.transport.test_dns::*name_server*",
                    "conformance.transport.test_dns::*looked_up*",
                    "conformance.transport.test_dns::*circle*",
                    "conformance.transport.test_dns::*silent*",
                    "conformance.transport.test_dns::*one_answer*",
                    "conformance.transport.test_dns::*beyond*",
                ],
            ),
            (
                "rport, NAT (RFC 3581)",
                [
                    "conformance.transport.test_nat::*rport*",
                    "conformance.transport.test_nat::*through_a_nat*",
                ],
            ),
            ("Keep-alive over UDP", ["conformance.transport.test_nat::*way*open*"]),
            ("Keep-alive on connections (RFC 5626)", ["conformance.transport.test_nat::*ping*"]),
            ("Lost, repeated and crossing datagrams", ["conformance.transport.test_lost::*"]),
            ("Several proxies, failover", ["conformance.agent.test_trunk::*"]),
            ("Where a message really came from, trusted proxies", ["conformance.transport.test_sources::*"]),
            ("Who may call: networks, digest passwords, limits, bans", ["conformance.agent.test_access::*"]),
        ),
    ),
    (
        "Registration",
        (
            (
                "Digest, MD5, 401 and 407, stale nonce",
                [
                    "conformance.kept.test_registration::test_digest[[]*",
                    "conformance.peers.test_kamailio::test_stale*",
                ],
            ),
            (
                "Digest, SHA-256 (RFC 8760)",
                [
                    "conformance.peers.test_kamailio::*sha256*",
                    "conformance.kept.test_registration::test_digest_with_sha256*",
                ],
            ),
            (
                "Refresh before expiry, 423",
                [
                    "conformance.peers.test_kamailio::test_a_registration_is_kept_up",
                ],
            ),
            ("Several accounts", ["conformance.peers.test_kamailio::test_two_accounts*"]),
            ("Query of bindings, removal of all", ["conformance.peers.test_kamailio::test_what_is_bound*"]),
            (
                "Back-off after failure",
                [
                    "conformance.agent.test_watch::*kept_until*",
                    "conformance.agent.test_watch::*kept_through*",
                    "conformance.kept.test_registration::*kept*",
                    "conformance.*::test_the_time_between_tries*",
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
                    "conformance.peers.test_baresip::test_we_call*",
                    "conformance.peers.test_baresip::test_it_refuses*",
                    "conformance.peers.test_kamailio::test_a_call_to*",
                    "conformance.call.test_outgoing::*",
                ],
            ),
            (
                "Incoming, from INVITE to BYE",
                [
                    "conformance.peers.test_baresip::test_it_calls*",
                    "conformance.peers.test_baresip::test_we_refuse*",
                    "conformance.call.test_incoming::*",
                ],
            ),
            (
                "Early media",
                [
                    "conformance.peers.test_baresip::test_early*",
                    "conformance.call.test_incoming::test_a_call_from_invite_to_bye",
                    "conformance.call.test_outgoing::test_a_call_from_invite_to_bye",
                ],
            ),
            ("Reliable provisional responses (RFC 3262)", ["conformance.call.test_early::test_*reliabl*"]),
            (
                "Several early dialogs",
                [
                    "conformance.peers.test_kamailio::test_several_phones*",
                    "conformance.call.test_early::test_several_phones*",
                ],
            ),
            (
                "CANCEL and its races",
                [
                    "conformance.peers.test_baresip::*cancel*",
                    "conformance.peers.test_kamailio::test_cancelled*",
                    "conformance.transport.test_lost::*cancel*",
                    "conformance.call.test_outgoing::*cancel*",
                    "conformance.call.test_incoming::*cancel*",
                ],
            ),
            (
                "Hold, resume, UPDATE, offer and answer",
                [
                    "conformance.peers.test_baresip::*hold*",
                    "conformance.peers.test_baresip::*offer*",
                    "conformance.peers.test_kamailio::test_a_call_to*",
                    "conformance.call.test_dialog::*",
                    "conformance.call.test_call_features::*hold*",
                    "conformance.call.test_call_features::*offer*",
                    "conformance.call.test_late_answers::*",
                ],
            ),
            (
                "Glare (491)",
                [
                    "conformance.call.test_call_features::*reinvite*",
                    "conformance.call.test_call_features::*glare*",
                ],
            ),
            ("Session timers (RFC 4028)", ["conformance.call.test_session_timer::*"]),
            (
                "Following redirections",
                ["conformance.peers.test_baresip::test_we_redirect*", "conformance.call.test_redirect::*"],
            ),
            ("Call-ID from the start, times", ["conformance.call.test_call_facts::*"]),
            ("Reason (RFC 3326)", ["conformance.call.test_call_features::*reason*"]),
            (
                "Identity and privacy (RFC 3323, 3325)",
                [
                    "conformance.peers.test_baresip::test_we_call*",
                    "conformance.call.test_call_features::*identit*",
                ],
            ),
            ("Wrong arguments and wrong states", ["misuse.*::*", "conformance.agent.test_wrong_state::*"]),
            ("Hostile peers", ["conformance.hostile.*::*", "conformance.call.test_early::test_endless*"]),
        ),
    ),
    (
        "Third parties",
        (
            (
                "Click-to-call (RFC 3725), flow IV",
                [
                    "conformance.call.test_click_to_call::*flow_iv*",
                    "conformance.call.test_click_to_call::*party*",
                    "conformance.examples.test_click_to_call::*",
                    "aio.test_bridges::*click*[[]IV]",
                ],
            ),
            (
                "Click-to-call (RFC 3725), flow I",
                [
                    "conformance.call.test_click_to_call::*flow_i",
                    "conformance.call.test_click_to_call::*flow_i_with*",
                    "conformance.call.test_click_to_call::*[[]I]",
                    "conformance.call.test_click_to_call::test_two_parties*",
                    "aio.test_bridges::*click*[[]I]",
                ],
            ),
            (
                "Calls connected with each other; hold, keys, transfer and hang-up passed on",
                ["conformance.call.test_bridge::*", "aio.test_bridges::test_an_aio_bridge*"],
            ),
        ),
    ),
    (
        "Transfer",
        (
            (
                "Blind and attended (RFC 3515, 5589)",
                [
                    "conformance.peers.test_baresip::test_we_transfer*",
                    "conformance.peers.test_baresip::*reach_the_target*",
                    "conformance.call.test_transfer*::test_blind*",
                    "conformance.call.test_transfer*::test_attended*",
                ],
            ),
            (
                "Asked for by the peer",
                [
                    "conformance.peers.test_baresip::test_it_transfers*",
                    "conformance.call.test_transferee::test_called_*",
                ],
            ),
            (
                "Replaces (RFC 3891)",
                ["conformance.call.test_replaces::*replace_*", "conformance.call.test_replaces::*replaced*"],
            ),
        ),
    ),
    (
        "Keys",
        (
            (
                "INFO, dtmf-relay and dtmf",
                ["conformance.peers.test_baresip::test_keys_by*", "conformance.call.test_dialog::test_keys*"],
            ),
            (
                "keys of a call, collected; `serve()`",
                ["conformance.call.test_keys::*", "conformance.agent.test_serve::*"],
            ),
            (
                "telephone-event in SDP (RFC 4733)",
                [
                    "conformance.peers.test_baresip::test_keys_in*",
                    "unit.test_sdp*::*",
                    "unit.test_negotiation*::*",
                ],
            ),
        ),
    ),
    (
        "Outside calls",
        (
            (
                "MESSAGE (RFC 3428)",
                [
                    "conformance.peers.test_baresip::test_messages*",
                    "conformance.peers.test_kamailio::test_messages*",
                    "conformance.agent.test_messages::test_message*",
                ],
            ),
            (
                "OPTIONS, watching a peer",
                [
                    "conformance.peers.test_baresip::test_options*",
                    "conformance.agent.test_messages::test_options*",
                    "conformance.agent.test_watch::*",
                ],
            ),
            ("Draining before a restart", ["conformance.agent.test_drain::*"]),
        ),
    ),
    (
        "Events",
        (
            (
                "Subscriber (RFC 6665)",
                [
                    "conformance.peers.test_kamailio_events::*",
                    "conformance.peers.test_baresip::test_it_tells*",
                    "conformance.kept.test_subscriber::test_subscribe*",
                    "conformance.kept.test_subscriber::*refreshed_before*",
                    "conformance.transport.test_timers::test_no_notify*",
                    "conformance.kept.test_subscriber::*ended_for*",
                ],
            ),
            (
                "Notifier",
                [
                    "conformance.peers.test_baresip::test_we_tell*",
                    "conformance.kept.test_notifier::test_accept*",
                    "conformance.kept.test_notifier::*subscriber*",
                    "conformance.kept.test_subscriber::*subscriber*",
                    "conformance.kept.test_notifier::*ran_out*",
                ],
            ),
            (
                "PUBLISH (RFC 3903)",
                [
                    "conformance.peers.test_kamailio_events::*publi*",
                    "conformance.peers.test_baresip::test_it_publishes*",
                    "conformance.kept.test_publish::*",
                ],
            ),
        ),
    ),
    (
        "Other parts",
        (
            ("asyncio", ["aio.*::*"]),
            ("Recording as pcap", ["conformance.test_record::*"]),
            ("Homer: messages sent to a capture server", ["conformance.test_hep::*"]),
            ("Worker", ["worker.*::*"]),
            ("Sidecar", ["sidecar.*::*"]),
            ("Shield", ["shield.*::*"]),
            ("Examples: announcement and recorder", ["conformance.examples.test_media::*"]),
        ),
    ),
)

"""Who may call: digest credentials of requests, bans, and limits for each source. It knows no call and no engine."""

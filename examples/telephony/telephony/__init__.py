"""A telephony service: calls by HTTP and SIP, their records in a database, and what watches them."""

"""The session descriptions of a call: whether one holds, and those that hold, resume and answer."""

from __future__ import absolute_import, division, print_function

from sipbridge import negotiation
from sipbridge.errors import InputError
from sipbridge.sdp import parse


def is_held(description):
    """Whether whoever gave this description does not want to receive (RFC 3264, 8.4)."""
    try:
        return parse(description).is_held
    except InputError:  # it may be the peer's, and anything
        return False


def changed(wanted, last, method):
    """The offer that holds or resumes (``method``) what is wanted, as the successor of the last; bytes."""
    return getattr(parse(wanted), method)().following(parse(last)).raw


def answer_again(call, offer):
    """What a re-INVITE that nobody answered gets: what is in force, held or resumed as the ``offer`` asks; bytes.

    Also None. Descriptions that cannot be read are repeated as they were sent.
    """
    if offer is None or call.local_sdp is None:
        return call.local_sdp
    try:
        theirs, wanted, last = (parse(each) for each in (offer, call._wanted_sdp, call.local_sdp))
    except InputError:
        return call.local_sdp
    return negotiation.answer_again(theirs, wanted).following(last).raw

/* object.h - what an engine keeps of calls, registrations, subscriptions and transactions. */
#ifndef SB_OBJECT_H
#define SB_OBJECT_H

#include "engine.h"

enum sb_kind { SB_KIND_CALL = 1, SB_KIND_REGISTRATION, SB_KIND_SUBSCRIPTION, SB_KIND_TRANSACTION };

enum sb_call_state {
    SB_CALL_INCOMING = 1, /* INVITE received, no final response yet */
    SB_CALL_ACCEPTED,     /* 2xx sent, ACK not yet received */
    SB_CALL_CALLING,      /* INVITE sent, no final response yet */
    SB_CALL_ANSWERED,     /* 2xx received, ACK not yet sent */
    SB_CALL_ESTABLISHED,  /* 2xx and ACK exchanged */
    SB_CALL_ENDING        /* BYE, CANCEL or a refusal is on its way; ENDED follows */
};

enum sb_subscription_state {
    SB_SUBSCRIPTION_OURS = 1, /* we are the subscriber */
    SB_SUBSCRIPTION_ASKED,    /* SUBSCRIBE received, no final response yet */
    SB_SUBSCRIPTION_GRANTED,  /* accepted by us: we are the notifier */
    SB_SUBSCRIPTION_ENDING    /* the last SUBSCRIBE, or the last NOTIFY, is on its way */
};

/* A call, registration, subscription or transaction. */
struct sb_object {
    sb_id id;
    int kind;                 /* enum sb_kind */
    int state;                /* of a call or subscription: enum sb_..._state; others: the backend's */
    int outgoing;             /* placed or sent by us */
    int heard;                /* call of ours: the backend sets it with the first response, a 100 too */
    int invite_pending;       /* call: a re-INVITE of either side has no final response yet */
    int ack_due;              /* call: a 2xx to our INVITE or re-INVITE is to be acknowledged */
    int is_invite;            /* transaction: a re-INVITE */
    struct sb_object *call;   /* transaction: the call that it belongs to, or NULL */
    struct sb_object *first;  /* call: its transactions, */
    struct sb_object *next;   /*       linked by next */
    void *lib;                /* the backend's own, given back in backend.release() */
};

#endif

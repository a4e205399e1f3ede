/* fuzz_shield.c - libFuzzer on the shield. What has to hold for any octets at all:
 *
 * - nothing is read or written that is not the shield's to (ASan), nothing undefined is done (UBSan);
 * - a span points into the message;
 * - what is mended is as well formed as before, and there is nothing left to mend;
 * - an answer is a well-formed response, which a shield lets through;
 * - a response that was remembered is recalled for the request that it belongs to, octet by octet;
 * - a frame is no longer than what is there, and no shorter than one octet.
 *
 * See tools/checks/fuzz. */
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "responses.h"
#include "shield.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void require_inside(struct shield_span span, const uint8_t *data, size_t size)
{
    const char *begin = (const char *)data;
    if (span.at != NULL)
        require(span.at >= begin && span.at + span.length <= begin + size);
}

static void look_at_answer(const struct shield_message *message, struct shield_verdict verdict)
{
    static const enum shield_transport HOW[] = {SHIELD_DATAGRAM, SHIELD_STREAM};
    char reply[SHIELD_MAX_REPLY];
    size_t i, length = shield_reply(message, verdict, "192.0.2.1", 65535, reply, sizeof reply);
    require(length <= sizeof reply);
    for (i = 0; length > 0 && i < 2; i++) {
        struct shield_message answer;
        require(shield_check(reply, length, HOW[i], &answer).action == SHIELD_PASS);
        require(!answer.is_request && answer.to_tag.at != NULL);
        require(shield_frame(reply, length, sizeof reply) == (long)length);
    }
}

static void look_at_mended(const uint8_t *data, size_t size, enum shield_transport transport)
{
    struct shield_message message;
    char *copy = malloc(size + 1);
    require(copy != NULL);
    memcpy(copy, data, size);
    require(shield_mend(copy, size) == (memcmp(copy, data, size) != 0));
    require(shield_check(copy, size, transport, &message).action == SHIELD_PASS);
    require(!shield_mend(copy, size));
    free(copy);
}

struct copy {
    const uint8_t *data;
    size_t size;
    int count;
};

static void compare(void *arg, const char *octets, size_t length)
{
    struct copy *copy = arg;
    copy->count++;
    require(length == copy->size && memcmp(octets, copy->data, length) == 0);
}

/* A memorable request's response, of which nothing but its transaction and status matters here. */
static void look_at_memory(const struct shield_message *message, int is_sound, const uint8_t *data, size_t size)
{
    static const struct shield_peer PEER = {{1}, 5060};
    static int64_t now = 1;
    struct copy copy = {data, size, 0};
    struct shield_message response = *message;
    now += 1000;
    shield_remember(message, (const char *)data, size, &PEER, now); /* whatever it is */
    response.is_request = 0;
    response.status = 200;
    if (!shield_is_memorable(message) || !is_sound)
        return;
    require(shield_expect(message, &PEER, now));
    shield_remember(&response, (const char *)data, size, &PEER, now);
    require(shield_recall(message, &PEER, now, compare, &copy) && copy.count == 1);
}

static void look_at_message(const uint8_t *data, size_t size, enum shield_transport transport)
{
    struct shield_message message;
    struct shield_verdict verdict = shield_check((const char *)data, size, transport, &message);
    int i, is_sound = verdict.action == SHIELD_PASS;
    require((verdict.action == SHIELD_PASS) == (verdict.rule == SHIELD_NONE));
    require((verdict.action == SHIELD_ANSWER) == (verdict.status != 0));
    require_inside(message.method, data, size);
    require_inside(message.top_via, data, size);
    require_inside(message.branch, data, size);
    require_inside(message.rport, data, size);
    require_inside(message.from, data, size);
    require_inside(message.to, data, size);
    require_inside(message.to_tag, data, size);
    require_inside(message.call_id, data, size);
    require_inside(message.cseq, data, size);
    require_inside(message.cseq_method, data, size);
    require_inside(message.via_host, data, size);
    require_inside(message.via_transport, data, size);
    for (i = 0; i < message.via_count; i++)
        require_inside(message.vias[i], data, size);
    if (verdict.action == SHIELD_PASS)
        look_at_mended(data, size, transport);
    if (verdict.action == SHIELD_PASS)
        verdict = shield_refuse(&message, shield_admit(&message, 1, 1) == SHIELD_NONE ? SHIELD_OVERLOAD_INVITE
                                                                                      : SHIELD_OVERLOAD_REGISTER);
    shield_is_own_ack(&message);
    look_at_memory(&message, is_sound, data, size);
    shield_reply_port(&message, 5060);
    if (verdict.action == SHIELD_ANSWER)
        look_at_answer(&message, verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long frame;
    shield_remember_responses(64);
    frame = shield_frame((const char *)data, size, 4000);
    require(frame <= (long)size && (frame > 0 || frame == 0 || frame == -1));
    look_at_message(data, size, SHIELD_DATAGRAM);
    look_at_message(data, size, SHIELD_STREAM);
    return 0;
}

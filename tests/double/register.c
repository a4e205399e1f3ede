/* register.c - registrations (10). */
#include "double.h"

#include <stdlib.h>
#include <string.h>

static struct d_reg *find(int rid)
{
    struct d_reg *reg;
    for (reg = D.regs; reg != NULL && reg->rid != rid; reg = reg->next)
        ;
    return reg;
}

/* Whatever the program says, as the library has it. */
static int period(int expires, int first)
{
    if (expires <= 0)
        return 0;
    if (expires < 30)
        return 30;
    return !first && expires > 3600 ? 3600 : expires;
}

static void set_expires(osip_message_t *request, int seconds)
{
    osip_header_t *header = NULL;
    char *text = d_format("%d", seconds);
    if (osip_message_header_get_byname(request, "expires", 0, &header) >= 0 && header != NULL) {
        osip_free(header->hvalue);
        header->hvalue = text;
        return;
    }
    osip_message_set_expires(request, text);
    osip_free(text);
}

static void set_contact(const struct d_reg *reg, osip_message_t *request)
{
    osip_contact_t *contact;
    if (reg->contact != NULL) {
        osip_message_set_contact(request, reg->contact);
        return;
    }
    d_add_contact(request, request->from->url->username);
    contact = osip_list_get(&request->contacts, 0);
    osip_uri_uparam_add(contact->url, osip_strdup("line"), osip_strdup(reg->line));
}

int d_register_first(const char *from, const char *registrar, const char *contact, int expires,
                     osip_message_t **request)
{
    static int last_rid;
    struct d_reg *reg = calloc(1, sizeof *reg);
    int code;
    if (reg == NULL)
        return OSIP_NOMEM;
    reg->rid = ++last_rid;
    reg->aor = osip_strdup(from);
    reg->registrar = osip_strdup(registrar);
    reg->contact = contact == NULL ? NULL : osip_strdup(contact);
    reg->line = d_format("%08x", d_random());
    reg->period = period(expires, 1);
    reg->next = D.regs;
    D.regs = reg;
    code = d_build_request(request, "REGISTER", from, from, NULL, registrar);
    if (code != OSIP_SUCCESS)
        return code;
    set_contact(reg, *request);
    set_expires(*request, reg->period);
    return reg->rid;
}

/* From the last one: its successor, with credentials where it was challenged. */
int d_register_next(int rid, int expires, osip_message_t **request)
{
    struct d_reg *reg = find(rid);
    osip_transaction_t *last;
    int code;
    if (reg == NULL)
        return OSIP_NOTFOUND;
    if (reg->last == NULL || !d_txn_is_done(reg->last))
        return OSIP_WRONG_STATE;
    last = reg->last->tr;
    reg->period = period(expires, 0);
    code = osip_message_clone(last->orig_request, request);
    if (code != 0)
        return code;
    d_next_cseq(*request, 1);
    d_new_branch(*request);
    set_expires(*request, reg->period);
    d_authorize(*request, last->last_response); /* as the library: without a look at what came of it */
    return OSIP_SUCCESS;
}

int d_register_send(int rid, osip_message_t *request)
{
    struct d_reg *reg = find(rid);
    if (reg == NULL || (reg->last != NULL && !d_txn_is_done(reg->last))) {
        osip_message_free(request);
        return reg == NULL ? OSIP_NOTFOUND : OSIP_WRONG_STATE;
    }
    if (reg->last != NULL)
        reg->last->reg = NULL;
    osip_message_force_update(request);
    reg->last = d_txn_start(NICT, request, NULL, reg);
    return OSIP_SUCCESS;
}

static void reg_free(struct d_reg *reg)
{
    if (reg->last != NULL)
        reg->last->reg = NULL;
    osip_free(reg->aor);
    osip_free(reg->registrar);
    osip_free(reg->contact);
    osip_free(reg->line);
    free(reg);
}

int d_register_remove(int rid)
{
    struct d_reg **link = &D.regs, *reg;
    while (*link != NULL && (*link)->rid != rid)
        link = &(*link)->next;
    reg = *link;
    if (reg == NULL)
        return OSIP_NOTFOUND;
    *link = reg->next;
    reg_free(reg);
    return OSIP_SUCCESS;
}

void d_regs_clear(void)
{
    while (D.regs != NULL)
        d_register_remove(D.regs->rid);
}

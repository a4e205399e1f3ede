/* library.h - Sofia-SIP, told what its callbacks get. */
#ifndef SB_SOFIA_LIBRARY_H
#define SB_SOFIA_LIBRARY_H

struct sof_record;

#define NTA_LEG_MAGIC_T struct sof_record
#define NTA_OUTGOING_MAGIC_T struct sof_record
#define NTA_INCOMING_MAGIC_T struct sof_record
#define NTA_AGENT_MAGIC_T struct sofia
#define SU_WAKEUP_ARG_T struct sofia
#define SU_TIMER_ARG_T struct sof_record
#define SU_ROOT_MAGIC_T struct sofia
#define SU_PREPOLL_MAGIC_T struct sofia

struct sofia;

#include <sofia-sip/auth_client.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

#endif

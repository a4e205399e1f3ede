/* probe.c - no part of an engine: setup.py compiles and runs it to see that the Sofia-SIP that was found works. */
#include <sofia-sip/nta.h>
#include <sofia-sip/su.h>

#include <stdio.h>

int main(void)
{
    if (su_init() != 0 || nta_version[0] == '\0') {
        printf("Sofia-SIP does not start\n");
        return 1;
    }
    su_deinit();
    return 0;
}

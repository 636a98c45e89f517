/* A contact that bounces when it closes and when it opens, as reed contacts do: it counts once when it has stayed closed for 20 ms. A
 * pulse of S0 and its pause last 30 ms each at least (IEC 62053-31). */
#ifndef GRIDSEAL_CONTACT_H
#define GRIDSEAL_CONTACT_H

#include <stdint.h>

enum { QUIET_US = 20000 };

typedef struct {
	/* since the last edge */
	int64_t edge_us;
	uint32_t closings;
	uint8_t level;
	/* level that lasted */
	uint8_t settled;
} Contact;

/* Its level has lasted until now. The pin is high while it is open. */
static inline void contactSettles(Contact *contact, int64_t now_us)
{
	if (contact->level == contact->settled || now_us - contact->edge_us < QUIET_US) return;
	contact->settled = contact->level;
	if (contact->settled == 0) contact->closings += 1;
}

static inline void contactChanges(Contact *contact, int level, int64_t now_us)
{
	contactSettles(contact, now_us);
	contact->level = level != 0;
	contact->edge_us = now_us;
}

#endif

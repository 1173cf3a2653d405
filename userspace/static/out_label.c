// SPDX-License-Identifier: GPL-2.0
/* Outgoing labels as configured (out_label.h). */
#include "static/out_label.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LABEL_LAST 1048575ul

bool out_label_parse(const char *s, uint8_t family, uint32_t *label)
{
	unsigned long v;
	char *end;

	if (!strcmp(s, "implicit-null")) {
		*label = 3;
		return true;
	}
	if (!strcmp(s, "explicit-null")) {
		*label = family == AF_INET6 ? 2 : 0;
		return true;
	}
	v = strtoul(s, &end, 10);
	if (*end || end == s || v > LABEL_LAST)
		return false;
	*label = v;
	return true;
}

// SPDX-License-Identifier: GPL-2.0
/* Route distinguishers: text and wire (rd.h). */
#include "vrf/rd.h"

#include <stdio.h>
#include <string.h>

#include "vrf/admin.h"

bool rd_parse(const char *s, struct rd *rd)
{
	uint8_t b[8] = { 0 };

	if (!admin_parse(s, &b[1], b + 2))
		return false;
	memcpy(rd->b, b, sizeof(b));
	return true;
}

const char *rd_str(const struct rd *rd, char buf[RD_STRLEN])
{
	if (!rd->b[0] && rd->b[1] <= ADMIN_AS4)
		return admin_str(rd->b[1], rd->b + 2, buf, RD_STRLEN);
	snprintf(buf, RD_STRLEN, "0x%02x%02x%02x%02x%02x%02x%02x%02x", rd->b[0], rd->b[1], rd->b[2],
		 rd->b[3], rd->b[4], rd->b[5], rd->b[6], rd->b[7]);
	return buf;
}

int rd_cmp(const struct rd *a, const struct rd *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

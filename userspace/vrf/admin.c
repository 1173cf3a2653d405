// SPDX-License-Identifier: GPL-2.0
/* Administrator and number (admin.h). */
#include "vrf/admin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/prefix.h"

/* decimal, no sign, no leading zero; *end is where it stopped */
static bool number_parse(const char *s, uint64_t max, uint64_t *v, const char **end)
{
	const char *d = s;

	*v = 0;
	for (; *d >= '0' && *d <= '9'; d++) {
		*v = *v * 10 + (*d - '0');
		if (*v > max)
			return false;
	}
	*end = d;
	return d > s && (*s != '0' || d == s + 1);
}

static void put(uint8_t *to, uint32_t v, unsigned int octets)
{
	while (octets--) {
		to[octets] = v & 0xff;
		v >>= 8;
	}
}

static uint32_t get(const uint8_t *from, unsigned int octets)
{
	uint32_t v = 0;

	while (octets--)
		v = v << 8 | *from++;
	return v;
}

bool admin_parse(const char *s, uint8_t *type, uint8_t octets[6])
{
	const char *colon = strrchr(s, ':'), *end;
	uint64_t as, number;
	char text[16];
	struct ip_addr a;
	bool four = false;

	if (!colon || !number_parse(colon + 1, UINT32_MAX, &number, &end) || *end)
		return false;
	if (memchr(s, '.', colon - s)) {
		if ((size_t)(colon - s) >= sizeof(text) || number > UINT16_MAX)
			return false;
		memcpy(text, s, colon - s);
		text[colon - s] = 0;
		if (!addr_parse(text, &a) || a.family != AF_INET)
			return false;
		*type = ADMIN_IPV4;
		memcpy(octets, a.b, 4);
		put(octets + 4, number, 2);
		return true;
	}
	if (!number_parse(s, UINT32_MAX, &as, &end))
		return false;
	if (*end == 'L') {
		four = true;
		end++;
	}
	if (end != colon)
		return false;
	if (!four && as <= UINT16_MAX) {
		*type = ADMIN_AS2;
		put(octets, as, 2);
		put(octets + 2, number, 4);
		return true;
	}
	if (number > UINT16_MAX)
		return false;
	*type = ADMIN_AS4;
	put(octets, as, 4);
	put(octets + 4, number, 2);
	return true;
}

const char *admin_str(uint8_t type, const uint8_t octets[6], char *buf, size_t size)
{
	switch (type) {
	case ADMIN_AS2:
		snprintf(buf, size, "%u:%u", get(octets, 2), get(octets + 2, 4));
		break;
	case ADMIN_IPV4:
		snprintf(buf, size, "%u.%u.%u.%u:%u", octets[0], octets[1], octets[2], octets[3],
			 get(octets + 4, 2));
		break;
	default:
		snprintf(buf, size, "%u%s:%u", get(octets, 4), get(octets, 4) > 0xffff ? "" : "L",
			 get(octets + 4, 2));
		break;
	}
	return buf;
}

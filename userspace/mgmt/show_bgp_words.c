// SPDX-License-Identifier: GPL-2.0
/* Path attributes as text. RFC 1997, 4360, 4456, 5668, 8092; contracts in show_bgp.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/show_bgp.h"
#include "vrf/rt.h"

#define MORE " ..."

struct text {
	char *buf;
	size_t size, used;
	bool cut;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A word, with a blank before all but the first. */
static void add(struct text *t, const char *fmt, ...)
{
	char word[64];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(word, sizeof(word), fmt, ap);
	va_end(ap);
	n = strlen(word);
	if (t->cut)
		return;
	if (t->used + n + 1 + sizeof(MORE) > t->size) {
		t->used += (size_t)snprintf(t->buf + t->used, t->size - t->used, "%s", MORE);
		t->cut = true;
		return;
	}
	t->used += (size_t)snprintf(t->buf + t->used, t->size - t->used, "%s%s", t->used ? " " : "", word);
}

static struct text begin(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

const char *bgp_targets_text(const struct attrs *a, char *buf, size_t size)
{
	struct text t = begin(buf, size);
	char one[RT_STRLEN];
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_EXT, &len);
	struct rt rt;

	for (; len >= 8; p += 8, len -= 8) {
		if (!attrs_is_target(p))
			continue;
		memcpy(rt.b, p, sizeof(rt.b));
		add(&t, "%s", rt_str(&rt, one));
	}
	return buf;
}

/* Site of origin is written as a route target is (RFC 4360 section 5). */
static void add_ext(struct text *t, const uint8_t e[8])
{
	char one[RT_STRLEN];
	struct rt rt;

	if (e[0] <= 2 && e[1] == 3) {
		memcpy(rt.b, e, sizeof(rt.b));
		rt.b[1] = 2;
		add(t, "SoO:%s", rt_str(&rt, one));
		return;
	}
	add(t, "0x%08x%08x", read32(e), read32(e + 4));
}

const char *bgp_ext_text(const struct attrs *a, char *buf, size_t size)
{
	struct text t = begin(buf, size);
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_EXT, &len);

	for (; len >= 8; p += 8, len -= 8) {
		if (!attrs_is_target(p))
			add_ext(&t, p);
	}
	return buf;
}

const char *bgp_communities_text(const struct attrs *a, char *buf, size_t size)
{
	struct text t = begin(buf, size);
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_COMMUNITY, &len);

	for (; len >= 4; p += 4, len -= 4) {
		uint32_t c = read32(p);
		const char *name = set_community_name(c);

		if (name)
			add(&t, "%s", name);
		else
			add(&t, "%u:%u", c >> 16, c & 0xffff);
	}
	return buf;
}

const char *bgp_large_text(const struct attrs *a, char *buf, size_t size)
{
	struct text t = begin(buf, size);
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_LARGE, &len);

	for (; len >= 12; p += 12, len -= 12)
		add(&t, "%u:%u:%u", read32(p), read32(p + 4), read32(p + 8));
	return buf;
}

const char *bgp_clusters_text(const struct attrs *a, char *buf, size_t size)
{
	struct text t = begin(buf, size);
	char addr[ADDR_STRLEN];
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_CLUSTERS, &len);

	for (; len >= 4; p += 4, len -= 4) {
		struct ip_addr id = addr_v4(read32(p));

		add(&t, "%s", addr_str(&id, addr));
	}
	return buf;
}

const char *bgp_origin_text(const struct attrs *a)
{
	static const char *const names[] = { "IGP", "EGP", "incomplete" };

	return a->f.origin <= ORIGIN_INCOMPLETE ? names[a->f.origin] : "";
}

const char *bgp_wanted_text(const struct prefix *p, char *buf, size_t size)
{
	char one[RT_STRLEN];
	struct rt rt;

	memcpy(rt.b, p->addr.b + 4, sizeof(rt.b));
	if (p->len <= 32)
		snprintf(buf, size, "all");
	else if (p->len == 96 && rt_is_target(rt.b))
		snprintf(buf, size, "%s", rt_str(&rt, one));
	else
		snprintf(buf, size, "0x%08x%08x", read32(rt.b), read32(rt.b + 4));
	return buf;
}

const char *bgp_membership_text(const struct prefix *p, char *buf, size_t size)
{
	char rt[RT_STRLEN + 4];

	if (p->len)
		snprintf(buf, size, "%u:%s/%u", read32(p->addr.b), bgp_wanted_text(p, rt, sizeof(rt)), p->len);
	else
		snprintf(buf, size, "all");
	return buf;
}

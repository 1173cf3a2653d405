// SPDX-License-Identifier: GPL-2.0
/* NH_STATE from another thread (flip.h). */
#include "dataplane/flip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/genl.h"
#include "lib/log.h"
#include "lib/mem.h"

#define RCVBUF 65536

struct dp_flip {
	int fd;				/* -1: not open */
	uint32_t seq;
	uint16_t family;		/* 0: not known */
};

static bool ready(struct dp_flip *f)
{
	struct genl_family family;

	if (f->fd < 0)
		f->fd = genl_socket(RCVBUF);
	if (f->fd >= 0 && !f->family && !genl_resolve(f->fd, ++f->seq, &family))
		f->family = family.id;
	return f->fd >= 0 && f->family;
}

static int say(struct dp_flip *f, uint32_t id, bool down)
{
	char buf[64];
	struct nlmsghdr *nlh;
	int err;

	if (!ready(f))
		return ENODEV;
	nlh = genl_nh_state_msg(buf, f->family, id, down);
	err = genl_call(f->fd, nlh, ++f->seq, NULL, NULL, NULL);
	/* the module came and went: its number is another one */
	if (err && err != EINVAL)
		f->family = 0;
	return err;
}

void dp_flip(void *flip, const uint32_t *ids, unsigned int n, bool down)
{
	struct dp_flip *f = flip;
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		err = say(f, ids[i], down);
		if (err)
			log_debug("dataplane", "next hop %u %s: %s", ids[i], down ? "down" : "up", strerror(err));
	}
}

struct dp_flip *dp_flip_new(void)
{
	struct dp_flip *f = xcalloc(1, sizeof(*f));

	f->fd = -1;
	ready(f);
	return f;
}

void dp_flip_free(struct dp_flip *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

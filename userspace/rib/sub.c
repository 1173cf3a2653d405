// SPDX-License-Identifier: GPL-2.0
/*
 * Subscribers of tables (table.h): each has a queue of nets that changed, without doubles (a bit
 * in the net says that it is queued), drained in slices by a job.
 */
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

static struct rib_net *pop(struct rib_sub *sub)
{
	struct rib_net *net;
	uint32_t id;

	if (!fifo_pop(&sub->queue, &id))
		return NULL;
	net = rib_net_by_id(sub->table, id);
	net->dirty &= ~(1u << sub->bit);
	return net;
}

void rib_touch(struct rib_sub *sub, struct rib_net *net)
{
	if (net->dirty & 1u << sub->bit)
		return;
	net->dirty |= 1u << sub->bit;
	fifo_push(&sub->queue, net->id);
	job_schedule(&sub->job);
}

static void notify(struct rib_sub *sub, struct rib_net *net)
{
	if (sub->filter && !sub->filter(sub, net))
		return;
	if (sub->at_once)
		sub->change(sub, net);
	else
		rib_touch(sub, net);
}

void rib_notify(struct rib_net *net, bool best_changed)
{
	struct rib_sub *sub;

	list_for_each(sub, &net_table(net)->subs, struct rib_sub, node)
		if (best_changed || sub->all_paths)
			notify(sub, net);
}

void rib_tell(struct rib_net *net)
{
	rib_notify(net, true);
}

static void tell(struct rib_sub *sub, struct rib_net *net)
{
	net->holds++;
	sub->change(sub, net);
	rib_net_release(net);
}

/* false: the walk is over */
static bool refresh_step(struct rib_sub *sub)
{
	struct rib_net *net = rib_walk(sub->table, &sub->cursor);

	if (net) {
		if (!sub->filter || sub->filter(sub, net))
			tell(sub, net);
		return true;
	}
	sub->refreshing = sub->more;
	sub->more = false;
	memset(&sub->cursor, 0, sizeof(sub->cursor));
	return sub->refreshing;
}

void rib_sub_drain(struct rib_sub *sub)
{
	uint32_t left = sub->queue.count;
	struct rib_net *net;

	while (left-- && (net = pop(sub)))
		tell(sub, net);
}

static bool drain(struct job *job, unsigned int budget)
{
	struct rib_sub *sub = container_of(job, struct rib_sub, job);
	struct rib_net *net;

	for (; budget; budget--) {
		net = pop(sub);
		if (net)
			tell(sub, net);
		else if (!sub->refreshing || !refresh_step(sub))
			break;
	}
	if (sub->queue.count || sub->refreshing)
		return true;
	if (sub->idle)
		sub->idle(sub);
	return false;
}

bool rib_subscribe(struct rib_table *t, struct rib_sub *sub, bool refresh)
{
	unsigned int bit;

	for (bit = 0; bit < RIB_SUBS_MAX && t->sub_bits & 1u << bit; bit++)
		;
	if (bit == RIB_SUBS_MAX)
		return false;
	t->sub_bits |= 1u << bit;
	sub->bit = bit;
	sub->table = t;
	sub->queue = (struct fifo){ 0 };
	sub->refreshing = sub->more = false;
	memset(&sub->cursor, 0, sizeof(sub->cursor));
	job_init(&sub->job, t->rib->jobs, sub->name, drain);
	list_add_tail(&t->subs, &sub->node);
	if (refresh)
		rib_refresh(sub);
	return true;
}

void rib_unsubscribe(struct rib_sub *sub)
{
	struct rib_net *net;

	if (!sub->table)
		return;
	job_cancel(&sub->job);
	while ((net = pop(sub)))
		rib_net_maybe_free(net);
	sub->table->sub_bits &= ~(1u << sub->bit);
	list_del(&sub->node);
	sub->refreshing = sub->more = false;
	sub->table = NULL;
}

void rib_subs_end(struct rib_table *t)
{
	while (!list_empty(&t->subs))
		rib_unsubscribe(list_first(&t->subs, struct rib_sub, node));
}

void rib_refresh(struct rib_sub *sub)
{
	if (sub->refreshing)
		sub->more = true;
	sub->refreshing = true;
	job_schedule(&sub->job);
}

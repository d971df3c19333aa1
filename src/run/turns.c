// SPDX-License-Identifier: LGPL-2.1-only
/* Turns of a ring: who waits for whom, and when it pays to wake him. */
#include "turns.h"

void turns_init(struct turns *turns, unsigned int n_slots)
{
	*turns = (struct turns){.n_slots = n_slots};
	pthread_mutex_init(&turns->lock, NULL);
	pthread_cond_init(&turns->filled, NULL);
	pthread_cond_init(&turns->emptied, NULL);
}

void turns_deinit(struct turns *turns)
{
	pthread_cond_destroy(&turns->emptied);
	pthread_cond_destroy(&turns->filled);
	pthread_mutex_destroy(&turns->lock);
}

/* Sleep until no more than @wanted slots are full. The lock is held. */
static void wait_emptied(struct turns *turns, uint64_t wanted)
{
	uint64_t begin_ns = dms_now_ns();

	turns->is_filler_waiting = true;
	turns->wanted = wanted;
	while (turns->n_filled - turns->n_emptied > wanted && !turns->is_stopped)
		pthread_cond_wait(&turns->emptied, &turns->lock);
	turns->is_filler_waiting = false;
	turns->slept_ns += dms_now_ns() - begin_ns;
}

bool turns_take_empty(struct turns *turns, unsigned int *ret)
{
	bool goes_on;

	pthread_mutex_lock(&turns->lock);
	/* woken when half of them are empty: sleeping and waking for each one costs more */
	if (turns->n_filled - turns->n_emptied == turns->n_slots)
		wait_emptied(turns, turns->n_slots / 2);
	goes_on = !turns->is_stopped;
	*ret = (unsigned int)(turns->n_filled % turns->n_slots);
	pthread_mutex_unlock(&turns->lock);
	return goes_on;
}

void turns_put_full(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	turns->n_filled++;
	if (turns->is_emptier_waiting)
		pthread_cond_signal(&turns->filled);
	pthread_mutex_unlock(&turns->lock);
}

void turns_end(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	turns->is_done = true;
	pthread_cond_signal(&turns->filled);
	pthread_mutex_unlock(&turns->lock);
}

void turns_drain(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	wait_emptied(turns, 0);
	pthread_mutex_unlock(&turns->lock);
}

uint64_t turns_slept_ns(struct turns *turns)
{
	uint64_t slept_ns;

	pthread_mutex_lock(&turns->lock);
	slept_ns = turns->slept_ns;
	pthread_mutex_unlock(&turns->lock);
	return slept_ns;
}

bool turns_is_ahead(struct turns *turns, unsigned int n_slots)
{
	bool is_ahead;

	pthread_mutex_lock(&turns->lock);
	is_ahead = turns->n_filled - turns->n_emptied >= n_slots && !turns->is_done;
	pthread_mutex_unlock(&turns->lock);
	return is_ahead;
}

/* The lock is held. */
static bool must_wait(const struct turns *turns, uint64_t n)
{
	return turns->n_filled == n && !turns->is_done && !turns->is_stopped;
}

bool turns_is_there(struct turns *turns, uint64_t n)
{
	bool is_there;

	pthread_mutex_lock(&turns->lock);
	is_there = !must_wait(turns, n);
	pthread_mutex_unlock(&turns->lock);
	return is_there;
}

bool turns_take_full(struct turns *turns, uint64_t n, unsigned int *ret)
{
	bool is_there;

	pthread_mutex_lock(&turns->lock);
	turns->is_emptier_waiting = true;
	while (must_wait(turns, n))
		pthread_cond_wait(&turns->filled, &turns->lock);
	turns->is_emptier_waiting = false;
	is_there = turns->n_filled > n && !turns->is_stopped;
	*ret = (unsigned int)(n % turns->n_slots);
	pthread_mutex_unlock(&turns->lock);
	return is_there;
}

void turns_put_empty(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	turns->n_emptied++;
	if (turns->is_filler_waiting && turns->n_filled - turns->n_emptied <= turns->wanted)
		pthread_cond_signal(&turns->emptied);
	pthread_mutex_unlock(&turns->lock);
}

void turns_stop(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	turns->is_stopped = true;
	pthread_cond_signal(&turns->filled);
	pthread_cond_signal(&turns->emptied);
	pthread_mutex_unlock(&turns->lock);
}

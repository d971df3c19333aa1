/* SPDX-License-Identifier: LGPL-2.1-only */
/* Slots that go round between two threads: filled by one, emptied by the other, in turn. */
#ifndef DMASCOPE_RUN_TURNS_H
#define DMASCOPE_RUN_TURNS_H

#include <dmascope/base.h>

/** What is in the slots belongs to whoever's turn it is, and is kept elsewhere. */
struct turns {
	unsigned int n_slots;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	uint64_t n_filled, n_emptied; /* ever */
	uint64_t wanted;	/* the filler is woken when so few are full */
	uint64_t slept_ns;	/* by the filler */
	bool is_filler_waiting, is_emptier_waiting;
	bool is_stopped; /* nobody wants more */
	bool is_done;	 /* there is no more */
};

void turns_init(struct turns *turns, unsigned int n_slots);
void turns_deinit(struct turns *turns);

/* For the one that fills: */
/** Wait for an empty slot: its number is *@ret. False: it is time to stop. */
bool turns_take_empty(struct turns *turns, unsigned int *ret);
void turns_put_full(struct turns *turns);
/** Nothing more will come. */
void turns_end(struct turns *turns);
/** Wait until all is emptied, or nobody wants it. */
void turns_drain(struct turns *turns);

/** By either: so many slots or more are full, and there will be others. */
bool turns_is_ahead(struct turns *turns, unsigned int n_slots);
/** By either: nanoseconds that the filler slept so far. */
uint64_t turns_slept_ns(struct turns *turns);

/* For the one that empties: */
/** True if turns_take_full() of slot @n would not wait. */
bool turns_is_there(struct turns *turns, uint64_t n);
/** Wait for slot number @n, of those ever filled, at *@ret. False: it will not come. */
bool turns_take_full(struct turns *turns, uint64_t n, unsigned int *ret);
/** The oldest full slot is empty. Any thread may say so. */
void turns_put_empty(struct turns *turns);

/** Let everybody go who waits, and keep nobody from now on. */
void turns_stop(struct turns *turns);

#endif

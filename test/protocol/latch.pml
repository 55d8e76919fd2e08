/* The latch: one record of two words in two cells, several writers that add 1, readers that write nothing. */
#include "participants.pml"
#ifndef READERS
#define READERS 1
#endif
#ifndef READS
#define READS 2
#endif

byte cell[4];            /* cell c, word i = cell[2 * c + i]                                                                */

proctype Writer(byte me) {
	byte life, op, slot, e, my, w, s, a, b, d, x, p;
	do
	:: life < LIVES -> life++;
	   {
		claim();
		op = 0;
		do
		:: op < OPS -> op++;
again:			s = sequence; a = cell[(s & 1) * 2]; b = cell[(s & 1) * 2 + 1];  /* update: a copy, as readers take one */
			if :: sequence == s -> skip :: else -> goto again fi;
			acquire();                                                             /* write 1                          */
#ifdef MUT_NO_COMPARE              /* update commits although somebody committed since its read */
			s = sequence;
#else
			if :: sequence == s -> skip :: else -> unlock(); goto again fi;        /* write 2                          */
#endif
#ifdef MUT_SAME_CELL
			p = s & 1;
#else
			p = (s + 1) & 1;
#endif
#ifdef MUT_PUBLISH_EARLY
			cell[p * 2] = a + 1;
			atomic { sequence = (sequence + 1) % M; count++ };
			cell[p * 2 + 1] = b + 1;
#else
			cell[p * 2] = a + 1;                                                   /* write 3                          */
			cell[p * 2 + 1] = b + 1;
#ifdef MUT_UNLOCK_EARLY
			unlock();
#endif
#ifdef MUT_CLOSE_INSIDE            /* close() while a write is under way gives up the liveness lock */
			held[slot] = 0;
#endif
			atomic {                                                               /* write 4                          */
#ifdef MUT_WRAP_SKIPS_ZERO
				sequence = (sequence + 1 == M -> 1 : sequence + 1);
#else
				sequence = (sequence + 1) % M;
#endif
				count++;
				assert(cell[(sequence & 1) * 2] == count && cell[(sequence & 1) * 2 + 1] == count)
			};
#endif
#ifndef MUT_UNLOCK_EARLY
			unlock();                                                              /* write 5                          */
#endif
			atomic { a = 0; b = 0; s = 0; p = 0 }
		:: break
		od;
		if
		:: life == LIVES -> goto idle                          /* stays, idle, with its slot */
		:: close()
		fi;
refused:	skip
	   } unless { killed[me] };
	   atomic {
		if :: killed[me] -> skip :: else -> assert(NP > NSLOT || EPOCHS < 7 || has[me] == 0) fi;
		killed[me] = false; alive[me] = false;
		slot = 0; e = 0; my = 0; w = 0; s = 0; a = 0; b = 0; d = 0; x = 0; p = 0; op = 0 }
	:: else -> break
	od;
idle:	finished++
}

proctype Reader() {
	byte n, s, a, b, last;
	do
	:: n < READS ->
again:		s = sequence;                                                                          /* read 1           */
		a = cell[(s & 1) * 2];                                                                 /* read 2           */
		b = cell[(s & 1) * 2 + 1];
		atomic {                                                                               /* read 3           */
			if
#ifdef MUT_NO_RECHECK
			:: true ->
#else
			:: sequence == s ->
#endif
				assert(a == b);
				assert(a == count);
				assert(a >= last);
				last = a; n++; s = 0; a = 0; b = 0
			:: else -> goto again
			fi
		}
	:: else -> break
	od
}

init { atomic { byte i;
	i = 0; do :: i < READERS -> run Reader(); i++ :: else -> break od;
	run Killer();
	i = 0; do :: i < NP -> run Writer(i); i++ :: else -> break od
} }

#ifdef BUSY
ltl progress { <> (finished == NP) }
#endif

/* The seqlock: one record of two words in one cell; an odd sequence means that somebody fills it, or died there. */
#define M 16             /* a write adds 2 */
#define START 14
#include "participants.pml"
#ifndef READS
#define READS 1
#endif
#define TRIES 2

byte cell[2];
#define ODD(s) ((s & 1) == 1)

inline bump() { sequence = (sequence + 1) % M }

proctype Writer(byte me) {
	byte life, op, slot, e, my, w, s, a, b, d, x;
	do
	:: life < LIVES -> life++;
	   {
		claim();
		op = 0;
		do
		:: op < OPS -> op++;
#ifdef MUT_ODD_FIRST               /* odd before the owner word: nobody can ask whose it is */
			s = sequence; if :: ODD(s) -> goto next :: else fi;
			atomic { if :: sequence == s -> bump() :: else -> goto next fi };
			acquire();
			atomic { a = count + 1; b = a };
#else
			acquire();                                                             /* seqlock write 1                  */
			s = sequence;                                                          /* seqlock write 2                  */
			if
			:: atomic { a = count + 1; b = a }         /* write: a whole record, whatever was there */
			:: skip ->                                 /* update: of what is there */
#ifndef MUT_UPDATE_READS_TORN
				if :: ODD(s) -> unlock(); goto next :: else -> skip fi;
#endif
				a = cell[0]; b = cell[1];
				atomic { a++; b++ }
			fi;
#ifdef MUT_THIEF_BUMPS             /* adds 1 without a look at the parity */
			atomic { bump() };
#else
			if :: !ODD(s) -> bump() :: else -> skip fi;                             /* seqlock write 3                  */
#endif
#endif
			cell[0] = a;                                                           /* seqlock write 4                  */
#ifdef MUT_EVEN_EARLY
			atomic { bump(); count++ };
			cell[1] = b;
#else
			cell[1] = b;
			atomic { bump(); count++; torn = false; assert(cell[0] == count && cell[1] == count) };   /* seqlock write 5 */
#endif
			unlock();                                                              /* seqlock write 6                  */
next:			atomic { a = 0; b = 0; s = 0 }
		:: break
		od;
		if
		:: life == LIVES -> goto idle
		:: close()
		fi;
refused:	skip
	   } unless { killed[me] };
	   atomic { killed[me] = false; alive[me] = false;
		slot = 0; e = 0; my = 0; w = 0; s = 0; a = 0; b = 0; d = 0; x = 0; op = 0 }
	:: else -> break
	od;
idle:	finished++
}

proctype Reader() {
	byte n, s, a, b, t, w;
	do
	:: n < READS -> t = 0;
again:		s = sequence;                                                                          /* seqlock read 1   */
		if
		:: ODD(s) ->
#ifdef MUT_NO_BOUND                /* waits for an even one, for ever if need be */
			AWAIT(sequence != s); goto again
#else
#ifdef MUT_READ_ODD
			skip
#else
			t++;
			if
			:: t < TRIES -> goto again
			:: else -> skip
			fi;
			w = lock;                                                              /* seqlock read 2: nobody alive?    */
#ifndef MUT_ODD_IS_DEATH           /* an odd sequence alone is taken for a death */
			if
			:: w == 0 -> skip
			:: w != 0 && epoch[SLOT(w)] != EPOCH(w) -> skip
			:: w != 0 && epoch[SLOT(w)] == EPOCH(w) ->
				if :: held[SLOT(w)] == 0 -> skip :: else -> goto next fi       /* READ_CONTENDED                   */
			fi;
#endif
			atomic { if :: sequence == s -> assert(torn) :: else skip fi };            /* WRITER_DIED                      */
			goto next
#endif
#endif
		:: !ODD(s) -> skip
		fi;
		a = cell[0];                                                                           /* seqlock read 3   */
		b = cell[1];
		atomic {                                                                               /* seqlock read 4   */
			if
			:: sequence == s -> assert(a == b); assert(a == count)
			:: else -> t++; if :: t >= TRIES -> goto next :: else -> goto again fi
			fi
		};
next:		atomic { n++; s = 0; a = 0; b = 0; t = 0; w = 0 }
	:: else -> break
	od
}

init { atomic { byte i;
	run Reader(); run Killer();
	i = 0; do :: i < NP -> run Writer(i); i++ :: else -> break od
} }

/* Who may write: participant slots, epochs, liveness locks, the lock word of one record, and death. Included by latch.pml and
 * seqlock.pml. One statement or atomic block is one access to shared memory or one kernel call, and is a numbered step of
 * docs/protocol.md; Killer stops anybody between two of them. Ghosts (count, owners, inside, has, torn) are not in a segment. */
#ifndef NP
#define NP 2             /* writers; each lives LIVES times: who died comes back and may claim any slot                    */
#endif
#ifndef LIVES
#define LIVES 2
#endif
#ifndef OPS
#define OPS 1            /* writes per life, at most                                                                       */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef NSLOT
#define NSLOT 2          /* 256 in reality                                                                                 */
#endif
#ifndef EPOCHS
#define EPOCHS 7         /* 2^24 - 1 in reality: a slot that reached it is claimed no more                                  */
#endif
#ifndef M
#define M 8              /* the sequence counts modulo M, 2^32 in reality, and starts near its end                          */
#define START 6
#endif
#define ROUNDS 3         /* how often a claimer looks at every slot                                                         */

#define WORD(s, e) ((s) * 8 + (e))
#define SLOT(w)    ((w) / 8)
#define EPOCH(w)   ((w) % 8)

#ifdef PROCESS                                     /* backing `process`: a word per slot with the number of its thread      */
#ifdef MUT_NUMBER_AGAIN                            /* a new thread gets the number of a dead one                            */
#define ME (me + 1)
#else
#define ME (me * LIVES + life)
#endif
#else
#define ME (me + 1)
#endif

byte lock;               /* the record's lock word                                                                          */
byte epoch[NSLOT];
byte held[NSLOT];        /* liveness locks: 0 or ME of the holder                                                           */
byte sequence = START;

byte count;              /* committed writes, which is the value of the last one                                            */
byte owners;             /* the living between "got the lock" and "unlocked"                                                */
bool inside[NP];
byte has[NP];            /* slot + 1                                                                                        */
byte number[NP];         /* ME of the present life                                                                          */
bool probing[NP];        /* PROBE_TAKES: has[] aside, the slot in probed[] is held for a moment                             */
byte probed[NP];
bool killed[NP], alive[NP];
byte deaths = DEATHS;
byte finished;
bool torn;               /* seqlock: a writer died inside and nobody has written the record whole since                     */
#ifdef PROCESS
byte buried;             /* number of a dead thread whose words its parent clears                                           */
#endif

inline enter() { lock = my; owners++; inside[me] = true; assert(owners <= 1) }
inline leave() { owners = owners - inside[me]; inside[me] = false }

#define CANDIE(i) (alive[i] && !killed[i])
#if NP > 2
#define SOMEBODY (CANDIE(0) || CANDIE(1) || CANDIE(2))
#else
#define SOMEBODY (CANDIE(0) || CANDIE(1))
#endif

/* kill -9, or worker.terminate(): the kernel frees the liveness lock; under PROCESS the parent does, later. */
proctype Killer() {
	byte i, s;
end:	do
	:: atomic { deaths > 0 && SOMEBODY ->
		if
		:: CANDIE(0) -> i = 0
		:: CANDIE(1) -> i = 1
#if NP > 2
		:: CANDIE(2) -> i = 2
#endif
		fi;
		deaths--; killed[i] = true;
		if :: inside[i] && (sequence & 1) == 1 -> torn = true :: else fi;
		owners = owners - inside[i]; inside[i] = false;
#ifdef PROCESS
		buried = number[i]; has[i] = 0
	   };
	   s = 0;                                      /* the parent hears of it and clears word after word                     */
	   do
	   :: s < NSLOT -> atomic { if :: held[s] == buried -> held[s] = 0 :: else fi; s++ }
	   :: else -> break
	   od;
	   atomic { buried = 0; s = 0; i = 0 }
#else
		if :: has[i] && held[has[i] - 1] == number[i] -> held[has[i] - 1] = 0 :: else fi; has[i] = 0;
		if :: probing[i] -> held[probed[i]] = 0; probing[i] = false :: else fi;
		i = 0
	   }
#endif
	od
}

/* A claimer that finds a slot worn out gives it back and goes on. */
#ifdef MUT_EPOCHS_WRAP
#define WORN(k) false
#else
#define WORN(k) (epoch[k] >= EPOCHS)
#endif

inline claim() {
	atomic { alive[me] = true; number[me] = ME; d = 0; x = 0 };
	do
	:: x == ROUNDS -> goto refused
	:: x < ROUNDS && d == NSLOT -> atomic { d = 0; x++ }
	:: x < ROUNDS && d < NSLOT ->
#ifdef MUT_BUMP_FIRST                              /* the epoch moves before the liveness lock is held                      */
		epoch[d] = epoch[d] + 1;
#endif
		if
		:: atomic { held[d] == 0 -> held[d] = ME; slot = d; has[me] = d + 1 };                       /* claim 1, granted */
			if
			:: WORN(slot) -> atomic { held[slot] = 0; has[me] = 0; d++ }
			:: else -> break
			fi
		:: atomic { held[d] != 0 -> d++ }                                                          /* claim 1, refused */
		fi
	od;
	e = epoch[slot];                                                                                   /* claim 2      */
#if defined(MUT_LOCK_OLD_EPOCH)                    /* works under the epoch found                                           */
	epoch[slot] = e + 1; if :: e == 0 -> e = 1 :: else fi;
#elif defined(MUT_NO_EPOCH)                        /* the word names the slot only                                          */
	e = 1; epoch[slot] = 1;
#elif defined(MUT_BUMP_FIRST)
	skip;
#elif defined(MUT_EPOCHS_WRAP)
	e = e % EPOCHS + 1; epoch[slot] = e;
#else
	e = e + 1; epoch[slot] = e;                                                                        /* claim 3      */
#endif
	atomic { my = WORD(slot, e); e = 0; d = 0; x = 0 }                                                 /* claim 4      */
}
#define PROBE_FREE(w) (held[SLOT(w)] == 0 || SLOT(w) == slot)  /* F_OFD_GETLK never reports the caller's own lock           */
#define DEAD(w) (epoch[SLOT(w)] != EPOCH(w) || PROBE_FREE(w))
/* A failed try sleeps until another can come out differently: who is stuck for ever is then an invalid end state. With
 * BUSY it spins, and progress is a property under weak fairness. LOCK_TIMEOUT is left out: it ends a wait for the living.    */
#ifdef BUSY
#define AWAIT(c) skip
#else
#define AWAIT(c) (c)
#endif

inline acquire() {
	skip;
retry:
#ifdef MUT_EPOCH_FIRST                             /* the epoch is loaded before the lock word                              */
	if :: d = 0 :: d = 1 fi; x = epoch[d];
#endif
	w = lock;                                                                                          /* acquire 1    */
	if
	:: w == 0 -> atomic { if :: lock == 0 -> enter() :: else -> goto retry fi }                        /* acquire 2    */
	:: else ->
#if defined(MUT_STEAL_BY_TIME)
		skip;
#else
#if defined(MUT_EPOCH_FIRST)
		if :: d == SLOT(w) && x != EPOCH(w) -> goto steal :: else -> skip fi;
#elif !defined(MUT_PROBE_ONLY)
		if :: epoch[SLOT(w)] != EPOCH(w) -> goto steal :: else -> skip fi;                         /* acquire 4    */
#endif
#ifdef PROBE_TAKES                                 /* Windows: a probe takes the mutex and gives it back, then the steal    */
		if
		:: SLOT(w) == slot -> skip
		:: atomic { SLOT(w) != slot && held[SLOT(w)] == 0 -> held[SLOT(w)] = ME; probed[me] = SLOT(w); probing[me] = true };   /* probe 1, 2 */
			atomic { held[probed[me]] = 0; probing[me] = false }                       /* probe 3      */
		:: SLOT(w) != slot && held[SLOT(w)] != 0 -> AWAIT(lock != w || DEAD(w)); goto retry
		fi;
#elif defined(MUT_PROBE_ONLY)
		if :: PROBE_FREE(w) -> skip :: else -> AWAIT(lock != w || PROBE_FREE(w)); goto retry fi;
#else
		if :: PROBE_FREE(w) -> skip :: else -> AWAIT(lock != w || DEAD(w)); goto retry fi;         /* acquire 5    */
#endif
#endif
steal:
#ifdef MUT_STEAL_BY_STORE
		atomic { enter() }
#else
		atomic { if :: lock == w -> enter() :: else -> goto retry fi }                             /* acquire 6    */
#endif
	fi;
	atomic { w = 0; d = 0; x = 0 }
}

inline unlock() { atomic { lock = 0; leave() } }

/* A close inside a life: nothing is held, nothing is used afterwards. */
inline close() { atomic { held[slot] = 0; has[me] = 0; alive[me] = false } }
